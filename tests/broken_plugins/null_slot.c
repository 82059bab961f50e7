// A backend without publish().
#include "broken.h"

BROKEN_BACKEND(broken, "null_slot", good_create, NULL);
BROKEN_MODULE(broken)
