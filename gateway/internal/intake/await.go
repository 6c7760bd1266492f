package intake

import (
	"context"

	"fieldpost/spool"
)

// Await waits until an accepted upload is loaded, and gives how far it is: the
// end of ctx is no error. KindNotFound when there is no such upload.
func (i *Intake) Await(ctx context.Context, id string) (spool.Upload, error) {
	return i.await(ctx, id)
}
