package api

import (
	"context"
	"net/http"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
)

// heldRoutes serve the rows of bases that were loaded and not released (state 0,
// NONE, of the old table).
func (a *API) heldRoutes() {
	for _, kind := range []string{"campaigns", "dialers"} {
		handle(a, route{method: http.MethodPost, path: root + "/" + kind + "/{name}/release", id: "release-" + kind, tag: kind,
			summary: "Put the held rows into the queue", text: "Rows of a base that was uploaded with held=true wait for this. " +
				"Repeated, it releases what was held meanwhile.",
			class: ClassControl, scope: access.Campaigns}, a.release)
	}
}

func (a *API) release(ctx context.Context, in *NameInput) (client.Released, error) {
	if _, err := a.Catalog.Resolve(in.Name); err != nil {
		return client.Released{}, gateway.Errorf(gateway.KindNotFound, "no campaign or dialer has this name")
	}
	n, err := a.Spool.Release(ctx, in.Name)
	return client.Released{Released: n}, err
}

// heldWord reads the parameter held of an upload.
func heldWord(word string) (bool, error) {
	switch word {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, gateway.Invalid("held", "must be true or false")
}
