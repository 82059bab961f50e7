#include "prefetch.hh"

#include "catch.hh"

using kafka::Prefetch;

TEST_CASE("prefetch: the library may have stopped once so many messages were there at once", "[kafka][prefetch]") {
  Prefetch prefetch(100, 1'000'000);
  for (int i = 0; i < 50; ++i) prefetch.took(1);
  CHECK_FALSE(prefetch.ran_dry());
  for (int i = 0; i < 51; ++i) prefetch.took(1);
  CHECK(prefetch.ran_dry());
  CHECK_FALSE(prefetch.ran_dry());  // once for each time that it was full
}

TEST_CASE("prefetch: or so many bytes", "[kafka][prefetch]") {
  Prefetch prefetch(100, 1000);
  prefetch.took(501);
  CHECK(prefetch.ran_dry());
}

TEST_CASE("prefetch: a reader that waits for each message never makes it stop", "[kafka][prefetch]") {
  Prefetch prefetch(100, 1000);
  for (int i = 0; i < 1000; ++i) {
    prefetch.took(10);
    CHECK_FALSE(prefetch.ran_dry());
  }
}
