// The entry returns another table than the one that the note names.
#include "broken.h"

BROKEN_BACKEND(broken, "other_table", good_create, good_publish);
BROKEN_BACKEND(other, "not_as_described", good_create, good_publish);
static const sluice_class* const list[] = {&broken};
static const sluice_class* const others[] = {&other};
static const sluice_module not_that_table = {sizeof(sluice_module), SLUICE_ABI_MINOR, 0, 1, others};
BROKEN_TABLE(sizeof(sluice_module), 0, 1, list)
BROKEN_ENTRY(sluice_module_v1, &not_that_table)
