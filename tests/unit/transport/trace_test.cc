#include "broker/transport/trace.h"

#include <gtest/gtest.h>

#include <string>

namespace schakel::transport {
namespace {

constexpr const char* kTraceId = "4bf92f3577b34da6a3ce929d0e0e4736";

TEST(Trace, TakesTheCallersTraceId) {
  EXPECT_EQ(HexEncode(TraceIdFrom("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
            kTraceId);
  EXPECT_EQ(HexEncode(TraceIdFrom("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more")),
            kTraceId);
}

TEST(Trace, MakesAFreshOneOtherwise) {
  for (const char* text : {
           "",
           "00",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
           "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
           "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
           "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
           "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
           "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
       }) {
    const Bytes first = TraceIdFrom(text);
    EXPECT_EQ(first.size(), 16u) << text;
    EXPECT_NE(HexEncode(first), kTraceId) << text;
    EXPECT_NE(first, TraceIdFrom(text)) << text;
  }
}

}  // namespace
}  // namespace schakel::transport
