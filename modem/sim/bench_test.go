package sim_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"fieldpost/modem/sim"
)

// BenchmarkModems measures what the simulator itself costs a message: a child
// process plays the drivers, as lean as can be, and the processor time of this one
// is counted.
func BenchmarkModems(b *testing.B) {
	for _, modems := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("%d", modems), func(b *testing.B) {
			bank, err := sim.NewBank(sim.BankOptions{Modems: modems, Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer bank.Close()
			self, err := os.Executable()
			if err != nil {
				b.Fatal(err)
			}
			each := (b.N + modems - 1) / modems
			child := exec.Command(self, "-test.run=^TestDriveBank$")
			child.Env = append(os.Environ(), "SIM_DIR="+bank.Dir(), fmt.Sprintf("SIM_EACH=%d", each))
			b.ResetTimer()
			before := processor(b)
			if out, err := child.CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, out)
			}
			used := processor(b) - before
			b.StopTimer()
			if n := bank.Network.Len(); n != each*modems {
				b.Fatalf("%d on the air, want %d", n, each*modems)
			}
			b.ReportMetric(float64(used)/float64(each*modems), "cpu-µs/msg")
			b.ReportMetric(float64(each*modems)/b.Elapsed().Seconds(), "msg/s")
		})
	}
}

// processor gives the processor time of this process in µs.
func processor(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return (u.Utime.Nano() + u.Stime.Nano()) / 1000
}

// TestDriveBank is the child of BenchmarkModems.
func TestDriveBank(t *testing.T) {
	dir := os.Getenv("SIM_DIR")
	if dir == "" {
		t.Skip("run by BenchmarkModems")
	}
	each, err := strconv.Atoi(os.Getenv("SIM_EACH"))
	if err != nil {
		t.Fatal(err)
	}
	ports, err := filepath.Glob(filepath.Join(dir, "port*"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, path := range ports {
		wg.Go(func() {
			if err := driveAll(path, each); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func driveAll(path string, n int) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 256)
	ask := func(s, want string) error {
		if _, err := f.WriteString(s); err != nil {
			return err
		}
		got := buf[:0]
		for !bytes.HasSuffix(got, []byte(want)) {
			n, err := f.Read(buf[len(got):])
			if err != nil {
				return err
			}
			got = buf[:len(got)+n]
		}
		return nil
	}
	if err := ask("ATE0\r", "OK\r\n"); err != nil {
		return err
	}
	for range n {
		if err := ask("AT+CMGS=17\r", "> "); err != nil {
			return err
		}
		if err := ask(hola+"\x1a", "OK\r\n"); err != nil {
			return err
		}
	}
	return nil
}
