package api

import (
	"slices"
	"strconv"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// ListInput is what every list takes. It and the others here are exported because
// huma passes over embedded types that are not.
type ListInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" example:"100" doc:"Rows of a page"`
	Cursor string `query:"cursor" maxLength:"512" doc:"The next of the page before; absent = the first page"`
}

// NameInput names a definition in the path.
type NameInput struct {
	Name string `path:"name" maxLength:"64" example:"alerts"`
}

// IDInput names a message in the path.
type IDInput struct {
	ID string `path:"id" maxLength:"20" example:"42"`
}

// idm reads the id of a message; what is no id is not found, like any other that
// is not there.
func (i *IDInput) idm() (uint64, error) {
	n, err := strconv.ParseUint(i.ID, 10, 64)
	if err != nil || n == 0 || i.ID[0] == '0' {
		return 0, gateway.Errorf(gateway.KindNotFound, "no such message")
	}
	return n, nil
}

// pageOf cuts one page out of a list that lies in memory, in the order of its
// names. The cursor is the last name of the page before, so that a change between
// two pages neither repeats nor drops a row.
func pageOf[T any](all []T, name func(T) string, in ListInput) client.Page[T] {
	from := 0
	if in.Cursor != "" {
		from, _ = slices.BinarySearchFunc(all, in.Cursor+"\x00", func(v T, after string) int {
			switch n := name(v); {
			case n < after:
				return -1
			case n > after:
				return 1
			}
			return 0
		})
	}
	p := client.Page[T]{Items: all[from:]}
	if len(p.Items) > in.Limit {
		p.Items = p.Items[:in.Limit]
		p.Next = name(p.Items[len(p.Items)-1])
	}
	if p.Items == nil {
		p.Items = []T{}
	}
	return p
}

// mapped turns each element into another.
func mapped[A, B any](from []A, f func(A) B) []B {
	to := make([]B, len(from))
	for i, v := range from {
		to[i] = f(v)
	}
	return to
}
