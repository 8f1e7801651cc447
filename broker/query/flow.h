// What the chain director may read. No answer holds a subject, the id of a signal or of a case, or
// a number of fewer than 10 persons.
#pragma once

#include <mutex>

#include "broker/base/ids.h"
#include "broker/query/bundles.h"
#include "broker/query/flow_figures.h"
#include "broker/query/page_token.h"
#include "broker/store/state_reader.h"
#include "schakel/v1/flow.pb.h"

namespace schakel::query {

// The figures. Thread-safe; one caller at a time counts. Tables of closed weeks are made once a
// week and bands once a minute: a cache, since what happened before a week's end gives its tables.
class Flow {
 public:
  Flow() = default;
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  // `wall_us`: the broker's clock, microseconds UTC. A week is closed when a later command was
  // applied, or when none of before its end can come any more. TOO_LARGE: see flow_source.h.
  Result<v1::GetFlowResponse> Get(const store::StateReader& state, Bundles& bundles,
                                  uint64_t wall_us);

 private:
  std::mutex mutex_;
  uint64_t closed_us_ = 0;  // end of the week that the tables are of
  uint64_t minute_ = 0;     // that the bands are of
  v1::GetFlowResponse last_;
};

// By alias. PAGE_TOKEN_INVALID, FIELD_INVALID page_size.
Result<v1::ListStalledResponse> ListStalled(const store::StateReader& state,
                                            const PageTokens& tokens, const OrganisationId& caller,
                                            const v1::ListStalledRequest& request);

}  // namespace schakel::query
