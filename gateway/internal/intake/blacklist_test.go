package intake

import (
	"slices"
	"strings"
	"testing"

	"fieldpost/gateway"
	"fieldpost/spool"
)

func TestP144ABlacklistIsListedAndItsBadRowsAreReported(t *testing.T) {
	for _, header := range []string{"", "phone;campaign\n", "Phone\n"} {
		d := running(t, nil)
		up, err := d.TakeBlacklist(t.Context(), BaseRequest{Agent: "ana", Body: strings.NewReader(header +
			"098344484;test1\n098344485;\n\"098344486\";*\n098344487\n\n0983x4488;test1\n098344489;none\n;test1\n098344490;test1;more\n")})
		if err != nil {
			t.Fatal(err)
		}
		off := strings.Count(header, "\n")
		want := []spool.BadLine{
			{Line: 6 + off}, {Line: 7 + off, Reason: `campaign: no campaign or dialer is named "none"`},
			{Line: 8 + off, Reason: "phone: is missing"}, {Line: 9 + off, Reason: "has 3 columns, not phone;campaign"},
		}
		if len(up.Bad) == 4 && strings.HasPrefix(up.Bad[0].Reason, "phone: ") {
			want[0].Reason = up.Bad[0].Reason
		}
		if up.State != stateDone || up.Kind != kindBlacklist || up.Accepted != 4 || up.Rejected != 4 || !slices.Equal(up.Bad, want) {
			t.Errorf("%q: upload is %+v", header, up)
		}
		for number, campaigns := range map[gateway.Address]map[string]bool{
			"+59898344484": {"test1": true, "alerts": false},
			"+59898344485": {"test1": true, "alerts": true},
			"+59898344486": {"test1": true, "alerts": true},
			"+59898344487": {"test1": true, "alerts": true},
			"+59898344490": {"test1": false},
		} {
			for campaign, want := range campaigns {
				if got, _, err := d.spool.Listed(number, campaign); err != nil || got != want {
					t.Errorf("%s for %s is listed: %v (%v)", number, campaign, got, err)
				}
			}
		}
		d.stop()
	}
}

func TestABlacklistForOneCampaign(t *testing.T) {
	d := running(t, nil)
	_, err := d.TakeBlacklist(t.Context(), BaseRequest{Campaign: "test1", Body: strings.NewReader("098344484\n098344485;*\n")})
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range map[gateway.Address]bool{"+59898344484": false, "+59898344485": true} {
		if got, _, err := d.spool.Listed(number, "alerts"); err != nil || got != want {
			t.Errorf("%s for alerts is listed: %v (%v)", number, got, err)
		}
	}
}
