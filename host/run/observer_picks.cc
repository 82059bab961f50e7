#include "run/observer_picks.hh"

namespace sluice {

void ObserverPicks::look_again() {
  seen_ = wants_.version();  // first: what changes in between is seen the next time
  types_ = wants_.types();
  known_.fill(Answer::ask);
}

}  // namespace sluice
