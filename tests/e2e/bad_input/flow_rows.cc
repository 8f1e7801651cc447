// FlowService.
#include "schakel/v1/flow.pb.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {

std::vector<RpcTable> FlowTables(World& world) {
  const std::string service = "schakel.v1.FlowService.";
  const std::string director = "chain-director";
  // Without a field there is nothing to name.
  RpcTable flow(service + "GetFlow", director, v1::GetFlowRequest());

  RpcTable stalled(service + "ListStalled", director, v1::ListStalledRequest());
  stalled.Page();

  v1::RemindRequest valid;
  valid.set_request_id(world.Random(16));
  valid.set_alias("ZHZ-7F3K");
  RpcTable remind(service + "Remind", director, valid);
  remind.Sized("request_id", 16);
  remind.Bad("alias", "missing", Missing(), FieldMissing());
  remind.Bad("alias", "of another form", Set("ZHZ7F3K-"), FieldInvalid());
  remind.Bad("alias", "a signal's id", Set("0192f0c4-8a51-7cc3-b0a1-5f3c2d1e0f9a"), FieldInvalid());
  remind.Bad("alias", "a long one", Set(std::string(100'000, 'Z')), FieldInvalid());
  // Nothing stalls in this region; tests/e2e/flow_test.cc reminds.
  remind.OfNothing(Refused("NOT_FOUND").Code(grpc::StatusCode::NOT_FOUND).At("alias"));

  std::vector<RpcTable> tables;
  tables.push_back(std::move(flow));
  tables.push_back(std::move(stalled));
  tables.push_back(std::move(remind));
  return tables;
}

}  // namespace schakel::e2e
