#include "broker/transport/reflection.h"

#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "tests/unit/transport/harness.h"

namespace schakel::transport {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;
using testing::TestOin;

// Asks over one stream; responses in order, with the stream's status.
std::pair<std::vector<ServerReflectionResponse>, grpc::Status> Ask(
    TestServer* server, const std::vector<ServerReflectionRequest>& requests) {
  auto stub = grpc::reflection::v1::ServerReflection::NewStub(
      server->Connect(server->pki.IssueFor(TestOin(77))));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  auto stream = stub->ServerReflectionInfo(&context);
  std::vector<ServerReflectionResponse> responses;
  for (const ServerReflectionRequest& request : requests) {
    ServerReflectionResponse response;
    if (!stream->Write(request) || !stream->Read(&response)) break;
    responses.push_back(response);
  }
  stream->WritesDone();
  return {responses, stream->Finish()};
}

TEST(Reflection, ListsTheServicesAndGivesTheirFiles) {
  TestServer server;
  ServerReflectionRequest list;
  list.set_list_services("");
  ServerReflectionRequest symbol;
  symbol.set_file_containing_symbol("schakel.v1.SignalService.Publish");
  ServerReflectionRequest by_name;
  by_name.set_file_by_filename("grpc/health/v1/health.proto");
  const auto [responses, status] = Ask(&server, {list, symbol, by_name});
  EXPECT_TRUE(status.ok()) << status.error_message();
  ASSERT_EQ(responses.size(), 3u);
  std::vector<std::string> names;
  for (const auto& service : responses[0].list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"schakel.v1.SignalService", "schakel.v1.InboxService",
                                             "schakel.v1.AuditService", "grpc.health.v1.Health",
                                             "grpc.reflection.v1.ServerReflection"}));
  // What came builds a pool in which the service can be called.
  google::protobuf::DescriptorPool pool(google::protobuf::DescriptorPool::generated_pool());
  const auto& files = responses[1].file_descriptor_response().file_descriptor_proto();
  ASSERT_GE(files.size(), 3);
  google::protobuf::FileDescriptorProto first;
  ASSERT_TRUE(first.ParseFromString(files[0]));
  EXPECT_EQ(first.name(), "schakel/v1/signal.proto");
  EXPECT_EQ(first.service(0).name(), "SignalService");
  ASSERT_TRUE(
      first.ParseFromString(responses[2].file_descriptor_response().file_descriptor_proto(0)));
  EXPECT_EQ(first.service(0).name(), "Health");
}

TEST(Reflection, GivesNothingBesideTheServices) {
  TestServer server;
  ServerReflectionRequest unknown;
  unknown.set_file_by_filename("schakel/state/v1/state.proto");
  ServerReflectionRequest unserved;
  unserved.set_file_containing_symbol("schakel.v1.CustodianService");
  ServerReflectionRequest nothing;
  ServerReflectionRequest numbers;
  numbers.set_all_extension_numbers_of_type("schakel.v1.PublishRequest");
  ServerReflectionRequest extension;
  extension.mutable_file_containing_extension()->set_containing_type("schakel.v1.PublishRequest");
  extension.mutable_file_containing_extension()->set_extension_number(5);
  const auto [responses, status] = Ask(&server, {unknown, unserved, nothing, numbers, extension});
  EXPECT_TRUE(status.ok());
  ASSERT_EQ(responses.size(), 5u);
  EXPECT_EQ(responses[0].error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(responses[1].error_response().error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(responses[2].error_response().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(responses[3].all_extension_numbers_response().extension_number_size(), 0);
  EXPECT_EQ(responses[4].error_response().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST(Reflection, IsNotThereUnlessSwitchedOn) {
  TestServer server{ServerSetup{.reflection = false}};
  ServerReflectionRequest list;
  list.set_list_services("");
  const auto [responses, status] = Ask(&server, {list});
  EXPECT_TRUE(responses.empty());
  EXPECT_EQ(ReasonOf(status), "METHOD_UNKNOWN");
}

TEST(Reflection, EndsAStreamThatAsksTooMuch) {
  TestServer server;
  ServerReflectionRequest list;
  list.set_list_services("");
  const auto [responses, status] =
      Ask(&server, std::vector<ServerReflectionRequest>(limits::kReflectionRequestsMax + 1, list));
  EXPECT_EQ(responses.size(), limits::kReflectionRequestsMax);
  EXPECT_EQ(ReasonOf(status), "RATE_LIMITED");
}

}  // namespace
}  // namespace schakel::transport
