package api

import (
	"context"
	"errors"
	"net/http"

	"fieldpost/gateway"
	"fieldpost/gateway/client"
	"fieldpost/gateway/internal/access"
	"fieldpost/gateway/internal/catalog"
)

type providerInput struct {
	KeyInput
	Body client.Provider
}

type providerChange struct {
	NameInput
	Body client.Provider
}

func (a *API) providerRoutes() {
	const path, tag = root + "/providers", "providers"
	conflict := []int{http.StatusConflict}
	handle(a, route{method: http.MethodGet, path: path, id: "list-providers", tag: tag,
		summary: "List providers", text: "Passwords and PINs are never returned.",
		class: ClassRead, scope: access.Read}, a.providers)
	handle(a, route{method: http.MethodPost, path: path, id: "create-provider", tag: tag,
		summary: "Make a provider", class: ClassControl, scope: access.Providers,
		status: http.StatusCreated, errors: conflict}, a.createProvider)
	handle(a, route{method: http.MethodGet, path: path + "/{name}", id: "get-provider", tag: tag,
		summary: "Read a provider", class: ClassRead, scope: access.Read}, a.provider)
	handle(a, route{method: http.MethodPut, path: path + "/{name}", id: "update-provider", tag: tag,
		summary: "Replace a provider", text: "A password or PIN that is absent stays as it is.",
		class: ClassControl, scope: access.Providers, errors: conflict}, a.updateProvider)
	act(a, route{method: http.MethodDelete, path: path + "/{name}", id: "delete-provider", tag: tag,
		summary: "Delete a provider that nothing uses", class: ClassControl, scope: access.Providers,
		errors: conflict}, a.deleteProvider)
	handle(a, route{method: http.MethodGet, path: root + "/provider-types", id: "list-provider-types", tag: tag,
		summary: "List the product types and their fields", class: ClassRead, scope: access.Read}, a.providerTypes)
}

func (a *API) providers(_ context.Context, in *ListInput) (client.Page[client.Provider], error) {
	return pageOf(mapped(a.Catalog.Providers(), providerOf), func(p client.Provider) string { return p.Name }, *in), nil
}

func (a *API) provider(_ context.Context, in *NameInput) (client.Provider, error) {
	p, err := a.Catalog.Provider(in.Name)
	if err != nil {
		return client.Provider{}, err
	}
	return providerOf(p), nil
}

func (a *API) createProvider(ctx context.Context, in *providerInput) (client.Provider, error) {
	return once(ctx, a, "provider", in.Key, in.Body, func() (client.Provider, error) {
		in.Body.Revision = 0
		return a.putProvider(ctx, in.Body)
	})
}

func (a *API) updateProvider(ctx context.Context, in *providerChange) (client.Provider, error) {
	if err := sameName(in.Name, in.Body.Name); err != nil {
		return client.Provider{}, err
	}
	old, err := a.Catalog.Provider(in.Name)
	if err != nil {
		return client.Provider{}, err
	}
	if in.Body.Revision == 0 {
		in.Body.Revision = old.Revision
	}
	return a.putProvider(ctx, in.Body)
}

func (a *API) putProvider(ctx context.Context, in client.Provider) (client.Provider, error) {
	p := catalog.Provider{
		Provider: gateway.Provider{
			Name: in.Name, Type: in.Type, URL: in.URL, User: in.User, Sender: in.Sender, Pattern: in.Pattern,
			Default: in.Default, Rate: in.Rate, Report: in.Report, Enabled: in.Enabled, Choice: in.Choice,
			Auth: in.Auth, UsePorts: in.UsePorts, DeviceZone: in.DeviceZone, Certificate: in.Certificate,
			PortControl: in.PortControl, PushFrom: in.PushFrom,
			Ports: mapped(in.Ports, func(q client.Port) gateway.Port {
				return gateway.Port{Port: q.Port, Device: q.Device, IMEI: q.IMEI, Baud: q.Baud, PIN: gateway.Secret(q.PIN), SMSC: q.SMSC}
			}),
		},
		Password:   gateway.Secret(in.Password),
		PushSecret: gateway.Secret(in.PushSecret),
		Revision:   in.Revision,
	}
	if in.Limits != nil {
		p.Limits = gateway.Limits(*in.Limits)
	}
	p, err := a.Catalog.PutProvider(ctx, p)
	if err != nil {
		return client.Provider{}, err
	}
	return providerOf(p), nil
}

func (a *API) deleteProvider(ctx context.Context, in *NameInput) error {
	return a.Catalog.DeleteProvider(ctx, in.Name)
}

func (a *API) providerTypes(context.Context, *struct{}) (client.Page[client.ProviderType], error) {
	return client.Page[client.ProviderType]{
		Items: mapped(gateway.ProviderTypes(), func(t gateway.ProviderType) client.ProviderType { return client.ProviderType(t) }),
	}, nil
}

// providerOf leaves the secrets behind.
func providerOf(p catalog.Provider) client.Provider {
	enabled := !p.Disabled()
	out := client.Provider{
		Name: p.Name, Type: p.Type, Enabled: &enabled, Default: p.Default, URL: p.URL, User: p.User,
		Sender: p.Sender, Pattern: p.Pattern, Rate: p.Rate, Report: p.Report, Revision: p.Revision, Managed: p.Managed,
		Choice: p.Choice, Auth: p.Auth, UsePorts: p.UsePorts, DeviceZone: p.DeviceZone, Certificate: p.Certificate,
		PortControl: p.PortControl, PushFrom: p.PushFrom,
		Ports: mapped(p.Ports, func(q gateway.Port) client.Port {
			return client.Port{Port: q.Port, Device: q.Device, IMEI: q.IMEI, Baud: q.Baud, SMSC: q.SMSC}
		}),
	}
	if p.Limits != (gateway.Limits{}) {
		l := client.Limits(p.Limits)
		out.Limits = &l
	}
	return out
}

// renamed says a fault under the name that the field has in the API.
func renamed(err error, from, to string) error {
	var e *gateway.Error
	if !errors.As(err, &e) || e.Field != from {
		return err
	}
	named := *e
	named.Field = to
	return &named
}
