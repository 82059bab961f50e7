// A class name that no configuration could hold.
#include "broken.h"

BROKEN_BACKEND(broken, "Bad Name!", good_create, good_publish);
BROKEN_MODULE(broken)
