// A module that needs fields which this host does not have yet.
#include "broken.h"

BROKEN_BACKEND(broken, "newer_minor", good_create, good_publish);
static const sluice_class* const list[] = {&broken};
BROKEN_TABLE(sizeof(sluice_module), 9, 1, list)
BROKEN_ENTRY(sluice_module_v1, &sluice_module_table_v1)
