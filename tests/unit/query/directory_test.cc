#include "broker/query/directory.h"

#include <algorithm>

#include "broker/machine/facts.h"
#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

class DirectoryTest : public QueryTest {
 protected:
  Result<v1::GetOrganisationResponse> Get(const std::string& oin, const Bytes& digest = {}) {
    v1::GetOrganisationRequest request;
    request.set_oin(oin);
    request.set_key_set_digest(digest);
    return GetOrganisation(state(), request);
  }
  Result<v1::ResolveFunctionResponse> Resolve(const std::string& function,
                                              const std::string& area) {
    v1::ResolveFunctionRequest request;
    request.mutable_function()->set_function(function);
    request.mutable_function()->set_area(area);
    return ResolveFunction(state(), bundles, request);
  }
};

TEST_F(DirectoryTest, GivesAnEntryWithItsCurrentOrAnOlderKeySet) {
  auto first = Get(sample::kTeam.str());
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->entry().organisation().sector(), "municipality");
  EXPECT_EQ(first->entry().version(), 1u);
  auto key_set = machine::FindOrganisation(state(), sample::kTeam);
  Bytes old = (*key_set)->key_set_digest();
  Digest next = f.RegisterNextKeySet(sample::kTeam);
  auto current = Get(sample::kTeam.str());
  auto older = Get(sample::kTeam.str(), old);
  ASSERT_TRUE(current.ok());
  ASSERT_TRUE(older.ok());
  EXPECT_EQ(older->entry().key_set().key_set(), first->entry().key_set().key_set());
  EXPECT_NE(current->entry().key_set().key_set(), first->entry().key_set().key_set());
  EXPECT_EQ(current->position(), f.machine().meta().position());
  // A key set of one organisation is not shown as another's.
  EXPECT_EQ(Get(sample::kPolice.str(), next.str()).error().reason, "NOT_FOUND");
}

TEST_F(DirectoryTest, RefusesWhatIsNoOinOrNoDigest) {
  EXPECT_EQ(Get("123").error().field, "oin");
  EXPECT_EQ(Get(sample::kTeam.str(), "short").error().field, "key_set_digest");
  EXPECT_EQ(Get("00000099000000009999").error().reason, "NOT_FOUND");
}

TEST_F(DirectoryTest, ListsAllByOinInPages) {
  std::vector<std::string> oins;
  v1::ListOrganisationsRequest request;
  request.set_page_size(4);
  for (;;) {
    auto page = ListOrganisations(state(), tokens, sample::kTeam, request);
    ASSERT_TRUE(page.ok());
    EXPECT_LE(page->entries_size(), 4);
    for (const auto& entry : page->entries()) {
      oins.push_back(entry.organisation().oin());
      bool partner = entry.organisation().role() == v1::ROLE_PARTNER;
      EXPECT_TRUE(entry.has_key_set() || !partner) << entry.organisation().name();
    }
    if (page->next_page_token().empty()) break;
    request.set_page_token(page->next_page_token());
  }
  EXPECT_TRUE(std::is_sorted(oins.begin(), oins.end()));
  EXPECT_EQ(oins.size(),
            f.CountKeys(store::Family::kRegistry, machine::keys::OrganisationPrefix()));
  EXPECT_EQ(oins.front(), sample::kRegistrar.str());
}

TEST_F(DirectoryTest, ResolvesFunctionsByTheActiveBundle) {
  auto resolved = Resolve("debt-relief", "dordrecht");
  ASSERT_TRUE(resolved.ok());
  EXPECT_EQ(resolved->entry().organisation().oin(), sample::kDebtRelief.str());
  EXPECT_EQ(resolved->bundle_digest(), schakel::testing::Reference().digest.str());
  EXPECT_EQ(Resolve("debt-relief", "rotterdam").error().reason, "FUNCTION_UNRESOLVED");
  EXPECT_EQ(Resolve("", "dordrecht").error().field, "function.function");
  EXPECT_EQ(Resolve("debt-relief", "").error().field, "function.area");
  // Named by the bundle, but nobody admitted it.
  EXPECT_EQ(Resolve("women-shelter", "dordrecht").error().reason, "FUNCTION_UNRESOLVED");
}

}  // namespace
}  // namespace schakel::query
