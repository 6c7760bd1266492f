package sim

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"fieldpost/gateway"
)

// DinstarAuth is how a gateway asks for its login.
type DinstarAuth string

// The ways of logging in.
const (
	DinstarDigest DinstarAuth = "digest" // RFC 2617 §3, MD5, qop=auth
	DinstarBasic  DinstarAuth = "basic"  // RFC 2617 §2
)

func (a DinstarAuth) check() error {
	if a != DinstarDigest && a != DinstarBasic {
		return gateway.Invalid("auth", "is %q: digest or basic", string(a))
	}
	return nil
}

// dinstarRealm is what the gateways name themselves in the challenge.
const dinstarRealm = "Web Server"

// noncesKept bounds the nonces that are good at the same time: the oldest goes stale.
const noncesKept = 64

// addressesKept bounds the memory of wrong logins.
const addressesKept = 1024

// dinstarLogin checks logins and locks out whoever gets them wrong.
type dinstarLogin struct {
	auth DinstarAuth
	user string
	seed uint64
	most int // wrong logins; 0 = never locked out

	mu       sync.Mutex
	password string
	issued   uint64
	nonces   []string       // oldest first
	wrong    map[string]int // by address
}

func newDinstarLogin(o *DinstarOptions) *dinstarLogin {
	l := &dinstarLogin{
		auth: o.Auth, user: o.User, password: o.Password, seed: o.Network.o.Seed, most: o.Lockout, wrong: map[string]int{},
	}
	if o.Firmware.Lenient.Lockout {
		l.most = 0
	}
	return l
}

// pass is what a login came to.
type pass uint8

const (
	passed  pass = iota
	missing      // no login: a challenge, and no harm
	stale        // right, but for a nonce that is no longer known (RFC 2617 §3.2.1)
	wrong
)

// check judges the login of a request.
func (l *dinstarLogin) check(r *http.Request) pass {
	head := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(head, " ")
	switch {
	case head == "":
		return missing
	case l.auth == DinstarBasic:
		user, password, _ := r.BasicAuth()
		if same(user, l.user)&same(password, l.secret()) == 1 {
			return passed
		}
		return wrong
	case !strings.EqualFold(scheme, "digest"):
		return wrong
	}
	return l.digest(r, digestFields(rest))
}

// digest judges an answer to a challenge (RFC 2617 §3.2.2). The uri must be the
// request's target to the letter: that is how the devices compare it.
func (l *dinstarLogin) digest(r *http.Request, f map[string]string) pass {
	want := digestResponse(l.user, f["realm"], l.secret(), r.Method, f["uri"], f["nonce"], f["nc"], f["cnonce"], f["qop"])
	good := same(f["response"], want) & same(f["username"], l.user) & same(f["realm"], dinstarRealm) & same(f["uri"], r.RequestURI)
	if good == 0 || f["qop"] != "auth" || len(f["nc"]) != 8 || f["cnonce"] == "" {
		return wrong
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.nonces, f["nonce"]) {
		return stale
	}
	return passed
}

func (l *dinstarLogin) secret() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.password
}

func same(a, b string) int { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) }

// digestResponse is request-digest with qop=auth and MD5 (RFC 2617 §3.2.2.1).
func digestResponse(user, realm, password, method, uri, nonce, nc, cnonce, qop string) string {
	ha1 := md5hex(user + ":" + realm + ":" + password)
	ha2 := md5hex(method + ":" + uri)
	return md5hex(strings.Join([]string{ha1, nonce, nc, cnonce, qop, ha2}, ":"))
}

func md5hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// digestFields reads name=value pairs, quoted or not (RFC 2617 §1.2).
func digestFields(s string) map[string]string {
	fields := map[string]string{}
	for s != "" {
		name, rest, found := strings.Cut(s, "=")
		if !found {
			return fields
		}
		name = strings.ToLower(strings.Trim(name, " ,\t"))
		var value string
		if rest, found = strings.CutPrefix(rest, `"`); found {
			value, s, _ = strings.Cut(rest, `"`)
		} else {
			value, s, _ = strings.Cut(rest, ",")
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields
}

// challenge gives the WWW-Authenticate of a 401.
func (l *dinstarLogin) challenge(p pass) string {
	if l.auth == DinstarBasic {
		return fmt.Sprintf("Basic realm=%q", dinstarRealm)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.issued++
	nonce := md5hex(fmt.Sprintf("nonce %d %d", l.seed, l.issued))
	if l.nonces = append(l.nonces, nonce); len(l.nonces) > noncesKept {
		l.nonces = l.nonces[1:]
	}
	head := fmt.Sprintf(`Digest realm=%q, qop="auth", nonce=%q, algorithm="MD5"`, dinstarRealm, nonce)
	if p == stale {
		head += `, stale="true"`
	}
	return head
}

// fail counts a wrong login of an address.
func (l *dinstarLogin) fail(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.wrong[addr]; known || len(l.wrong) < addressesKept {
		l.wrong[addr]++
	}
}

// locked says that an address is locked out.
func (l *dinstarLogin) locked(addr string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most > 0 && l.wrong[addr] >= l.most
}

// forget makes every nonce stale and lets everybody try again.
func (l *dinstarLogin) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nonces, l.wrong = nil, map[string]int{}
}

// pardon lets everybody try again.
func (l *dinstarLogin) pardon() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = map[string]int{}
}

// SetPassword changes the login, as somebody at the GUI does.
func (d *Dinstar) SetPassword(password string) {
	d.login.mu.Lock()
	defer d.login.mu.Unlock()
	d.login.password = password
}

// Unlock ends every lock-out.
func (d *Dinstar) Unlock() { d.login.pardon() }

// WrongLogins counts the wrong logins that are held against somebody.
func (d *Dinstar) WrongLogins() int {
	d.login.mu.Lock()
	defer d.login.mu.Unlock()
	n := 0
	for _, w := range d.login.wrong {
		n += w
	}
	return n
}

// host gives the address that a lock-out holds for.
func host(r *http.Request) string {
	h, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return h
}
