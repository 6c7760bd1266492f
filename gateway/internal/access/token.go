package access

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"fieldpost/gateway"
	"fieldpost/spool"
)

// docKind is the kind of a token among the definitions in the spool.
const docKind = "token"

// The form of a token: tokenPrefix, idLen characters, secretLen characters.
const (
	tokenPrefix = "fp_"
	idLen       = 10
	secretLen   = 52 // 256 bits in base32
	tokenLen    = len(tokenPrefix) + idLen + secretLen
)

// lowerCase is base32 as a person can read it out: no capitals, no 0, 1, 8, 9.
var lowerCase = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Token is what may be told of a token.
type Token struct {
	ID       string
	Name     string
	Scope    Scope
	Created  time.Time
	LastUsed time.Time // to the hour; zero = not yet
}

// token is one token in memory. All but used is set once.
type token struct {
	id       string
	name     string
	scope    Scope
	hash     [sha256.Size]byte
	created  time.Time
	revision uint64
	used     atomic.Int64 // the hour of its last use, in Unix seconds; 0 = never
	stored   atomic.Int64 // used, as the store has it
}

// body is a token in the store.
type body struct {
	Name     string    `json:"name"`
	Scopes   []string  `json:"scopes"`
	Hash     string    `json:"sha256"`
	Created  time.Time `json:"created"`
	LastUsed time.Time `json:"last_used,omitzero"`
}

// Create makes a token and gives its secret, which is not kept. KindConflict when
// the name is taken: a call that is repeated, also after a restart, makes no second
// token, and two tokens can be told apart.
func (g *Guard) Create(ctx context.Context, name string, scope Scope) (Token, string, error) {
	name = strings.TrimSpace(name)
	switch {
	case name == "" || len(name) > 64 || !printable(name):
		return Token{}, "", gateway.Invalid("name", "must have 1 to 64 bytes that can be printed")
	case scope == None || scope&^all != 0:
		return Token{}, "", gateway.Invalid("scopes", "at least one of %s", strings.Join(scopeWords[:], ", "))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(*g.tokens.Load()) >= MaxTokens {
		return Token{}, "", gateway.Errorf(gateway.KindConflict, "there are %d tokens already: revoke one first", MaxTokens)
	}
	for _, t := range *g.tokens.Load() {
		if t.name == name {
			return Token{}, "", &gateway.Error{Kind: gateway.KindConflict, Field: "name", Text: "is taken: revoke that token first, or take another name"}
		}
	}
	secret := newSecret()
	t := &token{
		id: idOf(secret), name: name, scope: scope,
		hash: sha256.Sum256([]byte(secret)), created: g.now().UTC().Truncate(time.Second),
	}
	d, err := g.store.PutDoc(ctx, t.doc())
	if err != nil {
		return Token{}, "", err
	}
	t.revision = d.Revision
	g.change(func(m map[string]*token) { m[t.id] = t })
	return t.told(), secret, nil
}

// printable says that a name moves no cursor and hides nothing where it is shown.
func printable(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) })
}

// Revoke ends a token: the next request with it is refused. KindNotFound when
// there is no such token.
func (g *Guard) Revoke(ctx context.Context, id string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := (*g.tokens.Load())[id]; !ok {
		return gateway.Errorf(gateway.KindNotFound, "no such token")
	}
	if err := g.store.DeleteDoc(ctx, docKind, id); err != nil {
		return err
	}
	g.change(func(m map[string]*token) { delete(m, id) })
	return nil
}

// List gives the tokens in the order of their ids.
func (g *Guard) List() []Token {
	known := *g.tokens.Load()
	list := make([]Token, 0, len(known))
	for _, t := range known {
		list = append(list, t.told())
	}
	slices.SortFunc(list, func(a, b Token) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// flushEvery is how often Run stores when the tokens were last used.
const flushEvery = time.Hour

// Run stores, every hour and once more at the end, which tokens were used. It
// returns nil when ctx ends. A store that refuses loses nothing but that.
func (g *Guard) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			g.flush(ctx)
		case <-ctx.Done():
			// The context is over, the store is not: one last write within its own bound.
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			g.flush(last)
			return nil
		}
	}
}

func (g *Guard) flush(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, t := range *g.tokens.Load() {
		used := t.used.Load()
		if used == t.stored.Load() {
			continue
		}
		d, err := g.store.PutDoc(ctx, t.doc())
		if err != nil {
			g.log.Warn("the last use of a token is not stored", "token_id", id, "error", err)
			return
		}
		t.revision = d.Revision
		t.stored.Store(used)
	}
}

// touch notes the hour of a use.
func (t *token) touch(now time.Time) {
	hour := now.Truncate(time.Hour).Unix()
	if t.used.Load() != hour {
		t.used.Store(hour)
	}
}

func (t *token) told() Token {
	return Token{ID: t.id, Name: t.name, Scope: t.scope, Created: t.created, LastUsed: unix(t.used.Load())}
}

func (t *token) doc() spool.Doc {
	b, err := json.Marshal(body{
		Name: t.name, Scopes: t.scope.Words(), Hash: hex.EncodeToString(t.hash[:]),
		Created: t.created, LastUsed: unix(t.used.Load()),
	})
	if err != nil {
		panic(err) // Strings and years 1 to 9999 always have a JSON form.
	}
	return spool.Doc{Kind: docKind, Name: t.id, Revision: t.revision, Body: b}
}

func readToken(d spool.Doc) (*token, error) {
	var b body
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return nil, gateway.Errorf(gateway.KindInternal, "the stored token is no JSON: %w", err)
	}
	scope, err := ParseScopes(b.Scopes)
	if err != nil {
		return nil, err
	}
	hash, err := hex.DecodeString(b.Hash)
	if err != nil || len(hash) != sha256.Size {
		return nil, gateway.Errorf(gateway.KindInternal, "the stored hash is no SHA-256")
	}
	t := &token{id: d.Name, name: b.Name, scope: scope, created: b.Created, revision: d.Revision}
	copy(t.hash[:], hash)
	if !b.LastUsed.IsZero() {
		t.used.Store(b.LastUsed.Unix())
		t.stored.Store(b.LastUsed.Unix())
	}
	return t, nil
}

// newSecret makes a token's text. rand.Read never fails (crypto/rand, Go 1.24).
func newSecret() string {
	var b [32 + 7]byte
	rand.Read(b[:])
	return tokenPrefix + lowerCase.EncodeToString(b[32:])[:idLen] + lowerCase.EncodeToString(b[:32])
}

// idOf gives the id inside a token's text; "" where it has not the form of one.
func idOf(secret string) string {
	if len(secret) != tokenLen || !strings.HasPrefix(secret, tokenPrefix) {
		return ""
	}
	return secret[len(tokenPrefix) : len(tokenPrefix)+idLen]
}

func unix(sec int64) time.Time {
	if sec == 0 {
		return time.Time{}
	}
	return time.Unix(sec, 0).UTC()
}
