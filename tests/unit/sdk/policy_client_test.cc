#include "clients/sdk/policy_client.h"

#include "tests/support/paths.h"
#include "tests/unit/sdk/fake_server.h"

namespace schakel::sdk {
namespace {

class Policies final : public v1::PolicyService::Service {
 public:
  grpc::Status GetPolicy(grpc::ServerContext*, const v1::GetPolicyRequest* request,
                         v1::GetPolicyResponse* response) override {
    ++gets;
    response->set_bundle(bundle);
    response->set_digest(request->digest().empty() || swaps ? Reference()->digest.str()
                                                            : request->digest());
    return grpc::Status::OK;
  }
  grpc::Status Replay(grpc::ServerContext*, const v1::ReplayRequest* request,
                      v1::ReplayResponse* response) override {
    response->set_recomputed(10);
    if (request->first_index() < 20) response->set_next_index(request->first_index() + 10);
    if (stuck) response->set_next_index(request->first_index());
    return grpc::Status::OK;
  }
  Bytes bundle = Reference()->bytes;
  int gets = 0;
  bool swaps = false;
  bool stuck = false;
};

TEST(PolicyClient, ChecksDigestsAndCompilesOnce) {
  Policies service;
  FakeServer server({&service});
  PolicyClient client(server.Connect());
  const auto active = client.Active();
  ASSERT_TRUE(active.ok()) << active.error().message;
  EXPECT_EQ((*active)->compiled->region(), "zhz.example");
  EXPECT_EQ((*active)->KeyDocuments().size(), 1u);
  EXPECT_EQ(*client.Active(), *active);
  EXPECT_EQ(*client.ByDigest(Reference()->digest), *active);
  EXPECT_EQ(service.gets, 1);
  const Digest other = *Digest::From(Bytes(32, 'x'));
  EXPECT_EQ(client.ByDigest(other).error().reason, "BUNDLE_DIGEST_MISMATCH");
  service.swaps = true;
  EXPECT_EQ(client.ByDigest(other).error().reason, "BUNDLE_DIGEST_MISMATCH");
  PolicyClient fresh(server.Connect());
  service.bundle[100] ^= 1;
  EXPECT_EQ(fresh.Active().error().reason, "BUNDLE_DIGEST_MISMATCH");
}

TEST(PolicyClient, ReplaysEveryPage) {
  Policies service;
  FakeServer server({&service});
  PolicyClient client(server.Connect());
  uint64_t recomputed = 0;
  ASSERT_TRUE(client
                  .Replay(1, std::nullopt,
                          [&](const auto& page) {
                            recomputed += page.recomputed();
                            return true;
                          })
                  .ok());
  EXPECT_EQ(recomputed, 30u);
  service.stuck = true;
  EXPECT_FALSE(client.Replay(1, std::nullopt, [](const auto&) { return true; }).ok());
}

TEST(PackPolicyFolder, RefusesAFolderThatIsNone) {
  EXPECT_EQ(PackPolicyFolder("/no/such/folder").error().reason, "FILE_MISSING");
  crypto::TempFolder empty;
  EXPECT_FALSE(PackPolicyFolder(empty.path()).ok());
}

TEST(PackPolicyFolder, LeavesOutFilesThatAreNoPart) {
  crypto::TempFolder folder;
  std::filesystem::copy(checkout::SourcePath("policy/zuid-holland-zuid"), folder.path() / "b",
                        std::filesystem::copy_options::recursive);
  const auto packed = PackPolicyFolder(folder.path() / "b");
  ASSERT_TRUE(packed.ok()) << packed.error().message;
  crypto::WriteText(folder.path() / "b" / "rules.yaml~", "x");
  crypto::WriteText(folder.path() / "b" / "README.md", "x");
  EXPECT_EQ(PackPolicyFolder(folder.path() / "b")->digest, packed->digest);
}

}  // namespace
}  // namespace schakel::sdk
