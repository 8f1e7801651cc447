// schakel_bench: durable publish against the null echo and the verifying echo, in one run and
// interleaved; decision, share evaluation and log verification against their raw operations.
// Prints a Markdown table. Absolute figures belong to this machine; ratios count.
#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>

#include "tests/bench/commit_bench.h"
#include "tests/bench/flow_bench.h"
#include "tests/bench/idle_streams.h"
#include "tests/bench/library_bench.h"
#include "tests/bench/publish_bench.h"
#include "tests/bench/stream_bench.h"

int main(int argc, char** argv) {
  schakel::bench::PublishOptions options;
  bool library_only = false;
  bool publish_only = false;
  bool commit_only = false;
  bool stream_only = false;
  bool flow_only = false;
  schakel::bench::FlowOptions flow;
  bool idle_only = false;
  schakel::bench::StreamOptions stream;
  schakel::bench::IdleOptions idle;
  schakel::bench::CommitOptions commit;
  CLI::App app("Measures Schakel against baselines in the same run");
  app.add_option("--seconds", options.seconds, "Counted seconds of each measurement");
  app.add_option("--rounds", options.rounds, "Interleaved rounds; the median is shown");
  app.add_option("--in-flight", options.in_flight, "Calls in flight, a row each")->delimiter(',');
  app.add_option("--channels", options.channels, "Connections that the calls take in turn")
      ->delimiter(',');
  app.add_option("--client", options.clients, "How the client calls: callback, blocking")
      ->delimiter(',')
      ->transform(CLI::CheckedTransformer(std::map<std::string, schakel::bench::ClientKind>{
          {"callback", schakel::bench::ClientKind::kCallback},
          {"blocking", schakel::bench::ClientKind::kBlocking}}));
  app.add_flag("--publish-only", publish_only, "Only the publishes");
  app.add_flag("--library-only", library_only, "Only what needs no server");
  app.add_flag("--commit-only", commit_only, "Only what a publish costs behind the signature");
  app.add_option("--signals", commit.signals, "Signals that it publishes");
  app.add_option("--commits-in-flight", commit.in_flight, "Signals in flight there");
  app.add_flag("--linked", commit.linked, "Its signals are about linked subjects");
  app.add_flag("--stream-only", stream_only, "Only the publishes on streams, in batches of 64");
  app.add_option("--streams", stream.streams, "Streams that publish at a time");
  app.add_flag("--flow-only", flow_only, "Only the whole way: published, delivered, acknowledged");
  app.add_option("--flow-in-flight", flow.in_flight, "Signals on their way there");
  app.add_option("--readers", flow.readers, "Streams that take and acknowledge them");
  app.add_flag("--idle-only", idle_only, "Only what idle inbox streams cost a broker's memory");
  app.add_option("--idle-streams", idle.streams, "So many of them")->check(CLI::Range(1, 20'000));
  app.add_option("--streams-a-connection", idle.per_connection, "So many share a connection")
      ->check(CLI::Range(1, 64));
  CLI11_PARSE(app, argc, argv);
  stream.seconds = options.seconds;
  stream.rounds = options.rounds;
  flow.seconds = options.seconds;
  flow.rounds = options.rounds;
  if (flow_only) return schakel::bench::RunFlowBench(flow, std::cout);
  if (idle_only) return schakel::bench::RunIdleStreams(idle, std::cout);
  if (stream_only) return schakel::bench::RunStreamBench(stream, std::cout);
  if (commit_only) return schakel::bench::RunCommitBench(commit, std::cout) ? 0 : 1;
  if (!publish_only) schakel::bench::RunLibraryBench(std::cout);
  return library_only ? 0 : schakel::bench::RunPublishBench(options, std::cout);
}
