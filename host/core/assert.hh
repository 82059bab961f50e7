// An assertion about our own code, on in every build: a broken invariant must not settle events.
#pragma once

#include <cstdio>
#include <cstdlib>

#define SLUICE_ASSERT(condition)                                                                   \
  do {                                                                                             \
    if (!(condition)) [[unlikely]] {                                                               \
      std::fprintf(stderr, "sluice: internal error: %s:%d: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                                \
    }                                                                                              \
  } while (false)
