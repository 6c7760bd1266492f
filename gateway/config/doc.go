// Package config reads fieldpost.toml: a strict, versioned file that says
// everything that is wrong with it at once, each fault with its line, its key and,
// where a key is misspelt, the one that was probably meant.
//
// The TOML library parses the syntax; the tree that it gives is then read key by
// key (table.go) with a default and a bound for each, and whatever nobody asked for
// is unknown. Lines come from a small scanner of our own (positions.go).
//
//	version = 1
//	[site]       id, region, time_zone
//	[storage]    path, max_size, keep_events
//	[http]       listen, trusted, max_body, max_base, rate, burst
//	[hub]        broker, user, password_file, ca_file, cert_file, key_file, keep_alive
//	[log]        level, format
//	[sending]    max_segments, attempts, resend_after, valid_for
//	[inbound]    incomplete_after
//	[opt_out]    enabled, languages, stop_words, start_words, ignore_words, reply_stop, reply_start
//	[[provider]] name, type, url, user, password_file, sender, pattern, default, rate, report, limits, enabled, choice
//	[[provider]] auth, use_ports, device_zone, certificate, port_control, push_secret_file, push_from
//	[[provider.port]] port, device, imei, baud, pin_file, smsc
//	[[operator]] name, networks, prefixes
//	[operator.balance] code, pattern, every, low
//	[[sim]]      iccid, number, limits, operator, reset_day, balance_low
//	[sims]       on_swap
//
// Example prints the file with every key, its meaning and its default. A
// secret is never in the file: a key that ends in _file names the file that holds
// it. A bare name is looked for in systemd's credentials directory first
// (LoadCredential=), then beside the configuration.
//
// # Invariants
//
//   - A key that is not known is a fault. Keys are exact: Listen is not listen.
//   - A time is a string with a unit, "30s"; a size is a string with a unit, "64MiB".
//     A bare number for either is a fault, never nanoseconds or bytes.
//   - A file of an older version is migrated in memory, one step a version, and
//     stays readable for ever. A newer one is refused.
//   - A Config that was returned is complete and checked; no secret in it prints.
//
// # Not here
//
// What is made of the values (gateway/app), and whether a device, a broker or a
// directory is there: the daemon starts without them and tries again.
package config
