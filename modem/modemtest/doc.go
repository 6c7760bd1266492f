// Package modemtest is the conformance suite of the driver contract: package
// modem says what a driver promises, and Run holds it to that. Every driver runs it, with
// its simulator, in every test run.
//
// # A new driver
//
// Write a Rig: the driver, and the device that it drives, simulated, with its traffic
// on a sim.Network, whose ledger is what the suite judges by. Rig.Do makes the
// device misbehave; each Act says how. Then
//
//	func TestConformance(t *testing.T) {
//		modemtest.Run(t, modemtest.Harness{New: func(t testing.TB) *modemtest.Rig {
//			// make the device, make the driver; undo with t.Cleanup
//		}})
//	}
//
// A driver of a GSM modem has it easier: ModemRig makes the rig from the driver and
// a sim.Modem; DinstarRig does for a port of a sim.Dinstar.
//
// What a device cannot do at all - a cloud has no SIM to take out - goes into
// Harness.Lacks with the reason; the cases that need it are then skipped, and say so. An Act that fails
// without being declared fails the case. Optional abilities (modem.USSDer,
// modem.Resetter, modem.Reconciler) are found by the driver's methods.
//
// Give the driver short times: the suite waits for conditions, and a driver that waits
// a minute for a lost answer makes it wait a minute too. Harness.Patience must
// be longer than that, and is only ever spent by a driver that fails.
//
// # Invariants
//
//   - No case is left out unless the harness declares why.
//   - A case never waits for time to pass, only for what must happen.
//   - Each case has a rig of its own.
//
// # Not here
//
// What one driver does beyond the contract: its wire, its quirks, its recovery. That
// is tested beside it.
package modemtest
