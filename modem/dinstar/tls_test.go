package dinstar

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"fieldpost/gateway"
)

// secureGateway is a gateway behind a certificate that it signed itself, with its SHA-256.
func secureGateway(t *testing.T, version uint16, ciphers ...uint16) (address, fingerprint string, asked *int) {
	t.Helper()
	asked = new(int)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked++
		fmt.Fprint(w, `{"error_code":200}`)
	}))
	s.TLS = &tls.Config{MaxVersion: version, MinVersion: tls.VersionTLS10, CipherSuites: ciphers}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL, fmt.Sprintf("%x", sha256.Sum256(s.Certificate().Raw)), asked
}

// greeted asks a gateway that is believed by a fingerprint.
func greeted(t *testing.T, address, certificate string) error {
	t.Helper()
	d, err := New(Options{Provider: "rack", URL: address, User: "api", Password: "s3cret", Certificate: certificate, Times: brief(), Every: often()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.api.wire.CloseIdleConnections)
	_, err = d.api.get(t.Context(), "query_sms_in_queue", url.Values{})
	return err
}

func TestAPinnedCertificateIsTheOnlyOneThatIsBelieved(t *testing.T) {
	address, met, asked := secureGateway(t, tls.VersionTLS13)
	pairs := strings.ToUpper(met[:2])
	for i := 2; i < len(met); i += 2 {
		pairs += ":" + strings.ToUpper(met[i:i+2]) // as openssl prints it
	}
	for _, pin := range []string{met, pairs} {
		if err := greeted(t, address, pin); err != nil {
			t.Errorf("with its own fingerprint: %v", err)
		}
	}
	before := *asked
	for _, pin := range []string{"", hex.EncodeToString(make([]byte, sha256.Size)), met[:62] + "00"} {
		err := greeted(t, address, pin)
		if gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(fmt.Sprint(err), met) {
			t.Errorf("pinned to %q it gives %v, want a refusal with the fingerprint that was met", pin, err)
		}
	}
	if *asked != before {
		t.Error("a gateway that was not believed got a request")
	}
}

func TestAGatewayWithoutTLSIsNamed(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(s.Close)
	if err := greeted(t, "https"+strings.TrimPrefix(s.URL, "http"), ""); gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(fmt.Sprint(err), "write http:// in url") {
		t.Errorf("a gateway without TLS gives %v", err)
	}
}

func TestNoGatewayIsSpokenToOverOldTLS(t *testing.T) {
	for _, c := range []struct {
		version uint16
		ciphers []uint16
		says    string
	}{
		{tls.VersionTLS11, nil, "no TLS 1.2"},
		{tls.VersionTLS12, []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}, "no cipher of today"},
	} {
		address, met, asked := secureGateway(t, c.version, c.ciphers...)
		err := greeted(t, address, met)
		if gateway.KindOf(err) != gateway.KindUnavailable || !strings.Contains(fmt.Sprint(err), c.says) || *asked != 0 {
			t.Errorf("it gives %v after %d requests, want %q", err, *asked, c.says)
		}
	}
}

func TestACertificateThatNobodyCanShowIsRefused(t *testing.T) {
	for _, o := range []Options{
		{URL: "https://192.0.2.20", Certificate: "ab"},
		{URL: "https://192.0.2.20", Certificate: strings.Repeat("x", 64)},
		{URL: "http://192.0.2.20", Certificate: strings.Repeat("a", 64)},
	} {
		if _, err := New(o); gateway.KindOf(err) != gateway.KindInvalid || !strings.Contains(fmt.Sprint(err), "certificate") {
			t.Errorf("%s at %s gives %v", o.Certificate, o.URL, err)
		}
	}
}
