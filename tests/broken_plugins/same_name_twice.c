// Two classes of one name.
#include "broken.h"

BROKEN_BACKEND(one, "same_name", good_create, good_publish);
BROKEN_BACKEND(other, "same_name", good_create, good_publish);
static const sluice_class* const list[] = {&one, &other};
SLUICE_MODULE_TABLE(list, 2)
