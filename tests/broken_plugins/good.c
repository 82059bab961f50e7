// Nothing is wrong with this one: the measure for the others.
#include "broken.h"

BROKEN_BACKEND(good, "good", good_create, good_publish);
BROKEN_MODULE(good)
