package dinstar

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"fieldpost/gateway"
)

// pin reads the fingerprint of a certificate: 64 hexadecimal digits, with colons or not.
// nil = there is none.
func (o *Options) pin() ([]byte, error) {
	if o.Certificate == "" {
		return nil, nil
	}
	b, err := hex.DecodeString(strings.ReplaceAll(o.Certificate, ":", ""))
	if err != nil || len(b) != sha256.Size {
		return nil, gateway.Invalid("certificate", "must be the SHA-256 of the gateway's certificate: 64 hexadecimal digits")
	}
	return b, nil
}

// secured says whom the driver believes to be the gateway. With a pin that is who shows
// exactly this certificate and has its key: its name and dates say nothing, since a gateway
// signs it itself, and may believe that it is 1970. Without one it is whom the
// system's roots know.
func secured(pin []byte) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if pin == nil {
		return c
	}
	c.InsecureSkipVerify = true // the chain; VerifyConnection takes its place, on resumed sessions too
	c.VerifyConnection = func(s tls.ConnectionState) error {
		met := sha256.Sum256(s.PeerCertificates[0].Raw) // a server always shows one (RFC 8446 §4.4.2)
		if subtle.ConstantTimeCompare(met[:], pin) == 1 {
			return nil
		}
		return &otherCertificate{met}
	}
	return c
}

// otherCertificate is a gateway that shows another certificate than the pinned one.
type otherCertificate struct{ met [sha256.Size]byte }

// Error names the certificate, so that who knows it to be right can copy it.
func (e *otherCertificate) Error() string {
	return fmt.Sprintf("it shows another certificate than the one in the settings, with the SHA-256 %x", e.met)
}

// distrust says why a handshake failed, and what the person who set the gateway up can do; "" where
// something else went wrong.
func distrust(err error) string {
	var (
		other *otherCertificate
		chain *tls.CertificateVerificationError
		plain tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &other):
		return other.Error()
	case errors.As(err, &chain) && len(chain.UnverifiedCertificates) > 0:
		return fmt.Sprintf("its certificate is not trusted: %v; if this is the gateway, set certificate to its SHA-256, %x",
			chain.Err, sha256.Sum256(chain.UnverifiedCertificates[0].Raw))
	case errors.As(err, &plain), errors.Is(err, http.ErrSchemeMismatch):
		return "it speaks no TLS there: write http:// in url, or the port of its https"
	// crypto/tls has no types for these.
	case strings.Contains(err.Error(), "protocol version"):
		return "it speaks no TLS 1.2: use http:// on a network of its own"
	case strings.Contains(err.Error(), "handshake failure"):
		return "it speaks no cipher of today: use http:// on a network of its own"
	}
	return ""
}
