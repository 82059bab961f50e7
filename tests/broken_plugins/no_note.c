// A module without the note that describes it.
#include "broken.h"

BROKEN_BACKEND(broken, "no_note", good_create, good_publish);
static const sluice_class* const list[] = {&broken};
static const sluice_module module = {sizeof(sluice_module), SLUICE_ABI_MINOR, 0, 1, list};
const sluice_module* sluice_module_v1(void) { return &module; }
