// Codes of a completion (sluice_result.code) that no protocol has, beside those of source.h. Numbers are only added.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum {
  // With AGAIN: an attempt is charged as ever, and the far side may have taken the event all the same (the request was
  // out, the answer never came). TIMEOUT says so too, but charges nothing: it is for a far side that answers for
  // nobody.
  SLUICE_CODE_PERHAPS_DELIVERED = 10101,
};

#ifdef __cplusplus
}
#endif
