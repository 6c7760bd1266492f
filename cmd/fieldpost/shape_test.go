package main

// The shape of the code: what the house asks of each file of the product, read
// from the source. The floors and the top level are in house_test.go.

import (
	"go/ast"
	"go/token"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestNoInit(t *testing.T) {
	for _, s := range product(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s declares init: wire it in gateway/app", s.where(f))
			}
		}
	}
}

func TestNoTestSleeps(t *testing.T) {
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	tests := 0
	for _, s := range all {
		// In a synctest bubble sleeping moves a fake clock and takes no time.
		if !s.test || imports(s, "testing/synctest") {
			continue
		}
		tests++
		ast.Inspect(s.file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok && called(c) == "time.Sleep" {
				t.Errorf("%s sleeps: wait for the condition", s.where(c))
			}
			return true
		})
	}
	if tests < 50 {
		t.Errorf("only %d files of tests were seen", tests)
	}
}

func TestPackageDocsEndWithInvariantsAndNotHere(t *testing.T) {
	for _, s := range product(t) {
		if s.file.Name.Name == "main" || s.file.Doc == nil {
			continue
		}
		var headings []string
		for line := range strings.Lines(s.file.Doc.Text()) {
			if h, ok := strings.CutPrefix(strings.TrimSpace(line), "# "); ok {
				headings = append(headings, h)
			}
		}
		if n := len(headings); n < 2 || headings[n-2] != "Invariants" || headings[n-1] != "Not here" {
			t.Errorf("%s: the package's documentation has the sections %q: it ends with Invariants and Not here", s.path, headings)
		}
		if filepath.Base(s.path) != "doc.go" {
			t.Errorf("%s: a package says what it is in its doc.go", s.path)
		}
	}
}

func TestNoPackageIsNamedLikeOneOfGo(t *testing.T) {
	out, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := strings.Fields(string(out))
	for _, p := range list(t) {
		if slices.Contains(std, p.ImportPath[strings.LastIndexByte(p.ImportPath, '/')+1:]) {
			t.Errorf("%s has the name of a package of the standard library", p.ImportPath)
		}
	}
}

func TestEveryExportedNameHasASentence(t *testing.T) {
	for _, s := range product(t) {
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && exported(d.Recv) {
					t.Errorf("%s: %s has no documentation", s.where(d), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if name, ok := undocumented(spec); ok && d.Doc == nil {
						t.Errorf("%s: %s has no documentation", s.where(spec), name)
					}
				}
			}
		}
	}
}

// exported says that a function has no receiver, or one of an exported type: what
// an unexported type does for an interface, the interface documents.
func exported(recv *ast.FieldList) bool {
	if recv == nil {
		return true
	}
	typ := recv.List[0].Type
	if p, ok := typ.(*ast.StarExpr); ok {
		typ = p.X
	}
	id, ok := typ.(*ast.Ident)
	return !ok || id.IsExported()
}

// undocumented gives the first exported name of a declaration that says nothing of it.
func undocumented(spec ast.Spec) (string, bool) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return spec.Name.Name, spec.Name.IsExported() && spec.Doc == nil
	case *ast.ValueSpec:
		for _, n := range spec.Names {
			if n.IsExported() && spec.Doc == nil && spec.Comment == nil {
				return n.Name, true
			}
		}
	}
	return "", false
}

// bigWord is a word that begins a sentence: "Cannot", but not "SendSMS" or "AT".
var bigWord = regexp.MustCompile(`^[A-Z][a-z]+\b`)

// worn are the phrases that say nothing: an error names what is wrong.
var worn = regexp.MustCompile(`(?i)\b(failed to|error while|error occurred|unable to)\b`)

func TestErrorTextsAreLowerCasePhrases(t *testing.T) {
	makers := map[string]int{"errors.New": 0, "fmt.Errorf": 0, "gateway.Errorf": 1, "gateway.Invalid": 1, "Errorf": 1, "Invalid": 1}
	seen := 0
	calls(t, func(s *source, name string, c *ast.CallExpr) {
		i, ok := makers[name]
		if !ok || len(c.Args) <= i {
			return
		}
		msg, ok := text(c.Args[i])
		if !ok {
			return
		}
		seen++
		if bigWord.MatchString(msg) || strings.HasSuffix(msg, ".") || strings.HasSuffix(msg, "!") || strings.HasSuffix(msg, "\n") {
			t.Errorf("%s: %q: an error is a lower case phrase without a full stop", s.where(c), msg)
		}
	})
	if seen < 200 {
		t.Errorf("only %d error texts were seen", seen)
	}
}

func TestNoTextSaysFailedTo(t *testing.T) {
	for _, s := range product(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			if msg, ok := text(e); ok && worn.MatchString(msg) {
				t.Errorf("%s: %q: say what is wrong", s.where(n), msg)
			}
			return true
		})
	}
}

// global are the calls that use or change what belongs to the whole process.
var global = regexp.MustCompile(`^(slog\.(Default|SetDefault|Debug|Info|Warn|Error|Log)(Context)?|log\.(Default|Set\w+|Print\w*|Fatal\w*|Panic\w*|Output)|` +
	`prometheus\.(MustRegister|Register|Unregister)|promauto\.\w+|http\.(Handle|HandleFunc|Get|Post|PostForm|Head|ListenAndServe)|` +
	`rand\.Seed|flag\.\w+|os\.(Setenv|Unsetenv|Chdir))$`)

func TestNothingGlobalIsUsed(t *testing.T) {
	calls(t, func(s *source, name string, c *ast.CallExpr) {
		if sel, ok := c.Fun.(*ast.SelectorExpr); ok {
			if _, ok := sel.X.(*ast.Ident); ok && global.MatchString(name) && imports(s, strings.SplitN(name, ".", 2)[0]) {
				t.Errorf("%s: %s belongs to the whole process: let it be given", s.where(c), name)
			}
		}
		if name == "os.Exit" && s.path != "cmd/fieldpost/main.go" {
			t.Errorf("%s: only main ends the process", s.where(c))
		}
		if name == "time.Sleep" {
			t.Errorf("%s: nothing here can end this sleep: wait with a timer and a context", s.where(c))
		}
	})
}

// attribute are the calls that make an attribute of a log line.
var attribute = regexp.MustCompile(`^slog\.(String|Int|Int64|Uint64|Float64|Bool|Time|Duration|Group|Any)$`)

// unlogged are the keys whose values no log may hold.
var unlogged = []string{"text", "body", "data", "pin", "password", "secret", "token", "raw"}

// line are the calls that write a line of the log.
var line = regexp.MustCompile(`^(log|Logger)\.(Debug|Info|Warn|Error)$`)

func TestLogKeysAreConstantAndHoldNoSecret(t *testing.T) {
	word := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := 0
	check := func(s *source, e ast.Expr) {
		seen++
		k, ok := text(e)
		switch {
		case !ok || !word.MatchString(k):
			t.Errorf("%s: the key of a log attribute is a constant word", s.where(e))
		case slices.Contains(unlogged, k):
			t.Errorf("%s: %q is never logged", s.where(e), k)
		case k == "err":
			t.Errorf("%s: the key of an error is \"error\"", s.where(e))
		}
	}
	calls(t, func(s *source, name string, c *ast.CallExpr) {
		switch {
		case attribute.MatchString(name) && len(c.Args) > 0:
			check(s, c.Args[0])
		case line.MatchString(name) && len(c.Args) > 0:
			if _, ok := text(c.Args[0]); !ok {
				t.Errorf("%s: what a line of the log says is constant: the rest are attributes", s.where(c))
			}
			for i := 1; i < len(c.Args) && !c.Ellipsis.IsValid(); i++ {
				if _, made := c.Args[i].(*ast.CallExpr); !made {
					check(s, c.Args[i])
					i++ // its value
				}
			}
		}
	})
	if seen < 80 {
		t.Errorf("only %d attributes were seen", seen)
	}
}

func TestReceiversHaveOneLetter(t *testing.T) {
	for _, s := range product(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && len(f.Recv.List[0].Names) == 1 && len(f.Recv.List[0].Names[0].Name) > 1 {
				t.Errorf("%s: the receiver of %s is %s: one letter", s.where(f), f.Name.Name, f.Recv.List[0].Names[0].Name)
			}
		}
	}
}

func TestNamesOfSubstance(t *testing.T) {
	empty := regexp.MustCompile(`(?i)(manager|helper|utils?|service|handler|processor|wrapper)$`)
	for _, s := range product(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.TypeSpec:
				if empty.MatchString(n.Name.Name) {
					t.Errorf("%s: %s says nothing of what it is", s.where(n), n.Name.Name)
				}
			case *ast.InterfaceType:
				if m := methods(n); m > 5 {
					t.Errorf("%s: an interface of %d methods: five at most, an ability apart is an interface apart", s.where(n), m)
				}
			}
			return true
		})
	}
}

func methods(i *ast.InterfaceType) int {
	n := 0
	for _, m := range i.Methods.List {
		n += len(m.Names)
	}
	return n
}

func TestNoPackageHasStateOfItsOwn(t *testing.T) {
	vars := map[string]map[string]bool{} // by folder: the variables of the package
	for _, s := range product(t) {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			if vars[s.dir] == nil {
				vars[s.dir] = map[string]bool{}
			}
			for _, spec := range g.Specs {
				for _, n := range spec.(*ast.ValueSpec).Names {
					vars[s.dir][n.Name] = true
				}
			}
		}
	}
	for _, s := range product(t) {
		writes(s, func(to *ast.Ident) {
			if to.Name != "_" && vars[s.dir][to.Name] && ofPackage(s, to) {
				t.Errorf("%s: %s is written to: a package has no state", s.where(to), to.Name)
			}
		})
	}
}

// writes visits what a file assigns to.
func writes(s *source, visit func(*ast.Ident)) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		var to []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				to = n.Lhs
			}
		case *ast.IncDecStmt:
			to = []ast.Expr{n.X}
		}
		for _, e := range to {
			for {
				if x, ok := e.(*ast.IndexExpr); ok {
					e = x.X
				} else if x, ok := e.(*ast.SelectorExpr); ok {
					e = x.X
				} else {
					break
				}
			}
			if id, ok := e.(*ast.Ident); ok {
				visit(id)
			}
		}
		return true
	})
}

// ofPackage says that a name was declared by no function of its file.
func ofPackage(s *source, id *ast.Ident) bool {
	return id.Obj == nil || s.file.Scope.Lookup(id.Name) == id.Obj
}

// unleaked are the packages that start goroutines and are held to it elsewhere.
var unleaked = map[string]string{
	"cmd/fieldpost": "its tests end whole programs",
}

func TestPackagesThatStartGoroutinesAreTestedForLeaks(t *testing.T) {
	starts, checks := map[string]string{}, map[string]bool{}
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.test {
			checks[s.dir] = checks[s.dir] || imports(s, "goleak")
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				starts[s.dir] = s.where(n)
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Go" {
					starts[s.dir] = s.where(n)
				}
			}
			return true
		})
	}
	for dir, where := range starts {
		if !checks[dir] && unleaked[dir] == "" {
			t.Errorf("%s starts a goroutine, and no test of %s looks for one that is left", where, dir)
		}
	}
	if len(starts) < 5 {
		t.Errorf("only %d packages that start goroutines were seen", len(starts))
	}
}
