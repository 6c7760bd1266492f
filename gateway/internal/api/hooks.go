package api

import (
	"net/http"
	"time"

	"fieldpost/gateway"
	"fieldpost/gateway/internal/access"
)

// Bounds of what devices post to the box. A gateway of 32 ports has some 30 events a
// second to tell at its busiest.
const (
	hookBody  = 64 << 10 // bytes
	hookRate  = 100      // a second, from one address
	hookBurst = 500
)

// hookRoutes is the door for devices that tell by themselves when something happens. It is
// in no document, and asks for no token: a device can send none. Who it is that posts is for
// the handler to find out. The door bounds what anybody may have it look at; the rate holds for
// trusted addresses too, since nothing here is done in anybody's name.
//
// The check of origins stands before this door as before every other. A device sends neither
// Origin nor Sec-Fetch-Site, so that it passes; a page in somebody's browser does not,
// even if it learned the address. The check of the Host header guards what a trusted address may
// read without a token: nothing here is given out, and a gateway calls the box by the
// name that somebody typed into it.
func (a *API) hookRoutes() {
	if a.hooks == nil {
		return
	}
	limit := access.NewThrottle(access.ThrottleOptions{PerSecond: hookRate, Burst: hookBurst, Now: a.now})
	rt := &route{class: ClassHook, public: true}
	a.mux.HandleFunc("POST /hooks/", a.plain(rt, func(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
		if wait := limit.Take(access.Remote(r)); wait > 0 {
			return throttled(max(wait, time.Second), "too many events from this address")
		}
		if r.ContentLength > hookBody {
			return withStatus(http.StatusRequestEntityTooLarge, gateway.Invalid("", "an event has at most %d bytes", hookBody))
		}
		r.Body = http.MaxBytesReader(w, r.Body, hookBody)
		a.hooks.ServeHTTP(w, r)
		return nil
	}))
}
