// A module that shows more than its entry.
#include "broken.h"

SLUICE_EXPORT int one_too_many(void);
int one_too_many(void) { return 1; }
SLUICE_EXPORT int two_too_many(void);
int two_too_many(void) { return 2; }
BROKEN_BACKEND(broken, "extra_symbols", good_create, good_publish);
BROKEN_MODULE(broken)
