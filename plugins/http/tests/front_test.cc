// placeholder
#include "catch.hh"
