// A module for the hosts of a later major version.
#include "broken.h"

BROKEN_BACKEND(broken, "wrong_major", good_create, good_publish);
static const sluice_class* const list[] = {&broken};
BROKEN_TABLE(sizeof(sluice_module), 0, 1, list)
BROKEN_ENTRY(sluice_module_v2, &sluice_module_table_v1)
