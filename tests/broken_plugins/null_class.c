// The second class is a null pointer.
#include "broken.h"

BROKEN_BACKEND(broken, "null_class", good_create, good_publish);
static const sluice_class* const list[] = {&broken, NULL};
BROKEN_TABLE(sizeof(sluice_module), 0, 2, list)
BROKEN_ENTRY(sluice_module_v1, &sluice_module_table_v1)
