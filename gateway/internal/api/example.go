package api

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// exampleOf makes an example of a type out of the example tags of its fields; a
// field without one stays zero, and is left out where its tag says so.
func exampleOf[T any]() any { return example(reflect.TypeFor[T]()) }

func example(t reflect.Type) any {
	v := reflect.New(t).Elem()
	fill(v, "")
	if t.Kind() != reflect.Struct {
		return v.Interface()
	}
	out := map[string]any{}
	b, err := json.Marshal(v.Interface())
	if err != nil || json.Unmarshal(b, &out) != nil {
		panic("no example of " + t.String()) // A type of ours that has no JSON form.
	}
	return out
}

var timeType = reflect.TypeFor[time.Time]()

func fill(v reflect.Value, tag string) {
	switch {
	case v.Type() == timeType || v.Kind() == reflect.Pointer && v.Type().Elem() == timeType:
		fillTime(v, tag)
	case v.Type() == reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte("{}"))
	case v.Kind() == reflect.Pointer && (tag != "" || v.Type().Elem().Kind() == reflect.Struct):
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), tag)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(v.Field(i), f.Tag.Get("example"))
			}
		}
	case v.Kind() == reflect.Slice && tag == "":
		v.Set(reflect.MakeSlice(v.Type(), 0, 1))
		if v.Type().Elem().Kind() == reflect.Struct {
			v.Set(reflect.Append(v, reflect.New(v.Type().Elem()).Elem()))
			fill(v.Index(0), "")
		}
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case tag != "":
		fillWord(v, tag)
	}
}

func fillTime(v reflect.Value, tag string) {
	at, err := time.Parse(time.RFC3339, tag)
	if err != nil {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.ValueOf(&at))
		return
	}
	v.Set(reflect.ValueOf(at))
}

func fillWord(v reflect.Value, tag string) {
	if v.Kind() == reflect.String {
		v.SetString(tag)
		return
	}
	if err := json.Unmarshal([]byte(tag), v.Addr().Interface()); err != nil {
		panic("the example " + strconv.Quote(tag) + " is no " + strings.ToLower(v.Type().String()))
	}
}
