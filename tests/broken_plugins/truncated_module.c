// The module table ends before its classes.
#include "broken.h"

BROKEN_BACKEND(broken, "truncated_module", good_create, good_publish);
static const sluice_class* const list[] = {&broken};
BROKEN_TABLE(8, 0, 1, list)
BROKEN_ENTRY(sluice_module_v1, &sluice_module_table_v1)
