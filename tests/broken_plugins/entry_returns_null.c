// The entry returns null, although the note names a table.
#include "broken.h"

BROKEN_BACKEND(broken, "entry_returns_null", good_create, good_publish);
static const sluice_class* const list[] = {&broken};
BROKEN_TABLE(sizeof(sluice_module), 0, 1, list)
BROKEN_ENTRY(sluice_module_v1, NULL)
