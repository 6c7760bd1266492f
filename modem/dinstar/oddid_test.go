package dinstar

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
)

// An id that no gateway gives out says nothing of the order: it must not hide what comes later.
func TestAnIDThatIsNoneLosesNoMessage(t *testing.T) {
	for _, odd := range []int64{0, -1, 1<<32 - 1, 1<<63 - 1} {
		var inbox []map[string]any
		come := func(id int64, text string) {
			inbox = append(inbox, map[string]any{"incoming_sms_id": id, "port": 0, "number": "+59899000001", "timestamp": "2026-11-22 14:50:10", "text": text})
		}
		s, r := scripted(t, func(w http.ResponseWriter, q *http.Request) {
			after, err := strconv.ParseInt(q.URL.Query().Get("incoming_sms_id"), 10, 64)
			must(t, err)
			rows := []map[string]any{}
			for _, m := range inbox {
				if id := m["incoming_sms_id"].(int64); id > after || id <= 0 {
					rows = append(rows, m)
				}
			}
			must(t, json.NewEncoder(w).Encode(map[string]any{"error_code": 200, "sms": rows}))
		})
		come(1, "first")
		come(odd, "odd")
		for range 2 {
			s.fetch(t.Context())
		}
		come(2, "second")
		for range 2 {
			s.fetch(t.Context())
		}
		got := map[string]int{}
		for _, p := range r.parts {
			got[p.Text]++
		}
		if len(got) != 3 || len(r.parts) != 3 {
			t.Errorf("with the id %d it brought %v", odd, got)
		}
	}
}
