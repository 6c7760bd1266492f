package dwg

import (
	"log/slog"
	"time"

	"fieldpost/gateway"
	"fieldpost/modem/internal/dwgwire"
)

// Options say where a driver listens, and for whom.
type Options struct {
	URL      string // tcp://host:port, where the driver listens; see gateway.ListenAddress
	User     string
	Password gateway.Secret
	Now      func() time.Time // stamps; nil = time.Now
	Logger   *slog.Logger     // nil = none
	Times    Times
	// Owed gives the sends in doubt of the time until now that an earlier driver of this gateway made,
	// whose results may still come; nil = none. It is asked when the gateway first logs in.
	Owed func(until time.Duration) []Owed
}

// Owed is a send of an earlier driver.
type Owed struct {
	Port int
	To   gateway.Address
}

// Times are the driver's patience. The zero value is the usual one.
type Times struct {
	Login     time.Duration // for the login of a new connection; 0 = 10 s
	Pause     time.Duration // before a wrong login is answered; 0 = 2 s
	KeepAlive time.Duration // between two of ours; 0 = 45 s
	Silence   time.Duration // without a frame from the gateway until it is lost; 0 = 3 min
	Frame     time.Duration // for the rest of a frame that has begun, either way; 0 = 15 s
	Ack       time.Duration // for the acknowledgement of a request; 0 = 20 s
	Result    time.Duration // for the result of a send, after its acknowledgement; 0 = 2 min
	Return    time.Duration // for the result of a send that lost its connection, once the gateway is back; 0 = 5 s
	Settle    time.Duration // for a late result, from when its send was given up; 0 = 3 min
	USSD      time.Duration // for the network's answer; 0 = 2 min
}

func (t Times) orUsual() Times {
	for _, f := range []struct {
		d     *time.Duration
		usual time.Duration
	}{
		{&t.Login, 10 * time.Second}, {&t.Pause, 2 * time.Second}, {&t.KeepAlive, 45 * time.Second},
		{&t.Silence, 3 * time.Minute}, {&t.Frame, 15 * time.Second}, {&t.Ack, 20 * time.Second},
		{&t.Result, 2 * time.Minute}, {&t.Return, 5 * time.Second}, {&t.Settle, 3 * time.Minute}, {&t.USSD, 2 * time.Minute},
	} {
		if *f.d <= 0 {
			*f.d = f.usual
		}
	}
	return t
}

// check gives the first fault of the options, and where to listen.
func (o *Options) check() (address string, err error) {
	if address, err = gateway.ListenAddress(o.URL); err != nil {
		return "", err
	}
	return address, dwgwire.CheckCredentials(o.User, string(o.Password))
}
