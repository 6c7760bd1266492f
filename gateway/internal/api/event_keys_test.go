package api

import (
	"reflect"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
)

// A reader of the event stream and a caller of the API keep one picture: a fact
// has one key, and one type, in both.
func TestEventsUseTheKeysOfTheAPI(t *testing.T) {
	for _, c := range []struct {
		event, resource any
		own             []string // what only the event says
	}{
		{gateway.MessageEvent{}, client.Message{}, nil},
		{gateway.InboundEvent{}, client.Inbound{}, []string{"corrected"}},
		{gateway.UploadEvent{}, client.Upload{}, nil},
		{gateway.SIMEvent{}, client.SIM{}, []string{"change", "reason", "by", "amount"}},
		{gateway.BlacklistEvent{}, client.Listed{}, []string{"listed", "imported"}},
	} {
		api := keys(c.resource)
		for _, own := range c.own {
			if _, ok := api[own]; ok {
				t.Errorf("%T says %q too", c.resource, own)
			}
			api[own] = reflect.Invalid
		}
		for key, kind := range keys(c.event) {
			if want, ok := api[key]; !ok || want != reflect.Invalid && want != kind {
				t.Errorf("%T has %s %q, the API has %s", c.event, kind, key, want)
			}
		}
	}
}

// keys gives the JSON keys of a type, and the kind of each.
func keys(v any) map[string]reflect.Kind {
	all := map[string]reflect.Kind{}
	for f := range reflect.TypeOf(v).Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all[key] = f.Type.Kind()
	}
	return all
}
