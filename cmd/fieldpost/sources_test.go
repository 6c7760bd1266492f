package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// source is one Go file of the repository.
type source struct {
	path string // from the top, with slashes
	dir  string
	test bool
	file *ast.File
	at   *token.FileSet
}

// where names a place in the file.
func (s *source) where(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.at.Position(n.Pos()).Line)
}

// sources parses the repository once for all tests of its shape.
var sources = sync.OnceValues(func() ([]*source, error) {
	top, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	var all []*source
	err = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != top {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		s := &source{test: strings.HasSuffix(path, "_test.go"), at: token.NewFileSet()}
		rel, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		s.path = filepath.ToSlash(rel)
		s.dir = filepath.ToSlash(filepath.Dir(rel))
		if s.file, err = parser.ParseFile(s.at, path, nil, parser.ParseComments); err != nil {
			return err
		}
		all = append(all, s)
		return nil
	})
	return all, err
})

// product gives the files that are no tests.
func product(t *testing.T) []*source {
	t.Helper()
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(slices.Clone(all), func(s *source) bool { return s.test })
	if len(all) < 100 {
		t.Fatalf("only %d files seen: the walk looks in the wrong place", len(all))
	}
	return all
}

// text gives a string literal, or "" and false.
func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// called gives the name that a call is written with: "slog.String", "x.Info", "panic".
func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		switch x := f.X.(type) {
		case *ast.Ident:
			return x.Name + "." + f.Sel.Name
		case *ast.SelectorExpr:
			return x.Sel.Name + "." + f.Sel.Name
		}
	}
	return ""
}

// calls visits every call of the product.
func calls(t *testing.T, visit func(s *source, name string, c *ast.CallExpr)) {
	t.Helper()
	for _, s := range product(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				visit(s, called(c), c)
			}
			return true
		})
	}
}

// imports says that a file imports a package whose path ends in this name.
func imports(s *source, name string) bool {
	return slices.ContainsFunc(s.file.Imports, func(i *ast.ImportSpec) bool {
		path, err := strconv.Unquote(i.Path.Value)
		return err == nil && (path == name || strings.HasSuffix(path, "/"+name))
	})
}
