#include "transport/link/session_conversation.hpp"

#include <array>

namespace satchel::link {

namespace {

static_assert(exchange::kSessionMessageMax <= channel::kMessageMax);
static_assert(exchange::kGreetingMax <= channel::kEarlyMessageMax);

StageLine named(exchange::Stage stage) {
    switch (stage) {
        case exchange::Stage::kGreeting:
            return {.stage = "greeting"};
        case exchange::Stage::kRoots:
            return {.stage = "roots"};
        case exchange::Stage::kSayings:
            return {.stage = "haves and receipts"};
        case exchange::Stage::kRecords:
            return {.stage = "records"};
        case exchange::Stage::kCatalogue:
            return {.stage = "catalogue"};
        case exchange::Stage::kContent:
            return {.stage = "content"};
        case exchange::Stage::kEnd:
            return {.stage = "end"};
    }
    return {.stage = "end"};
}

}  // namespace

ConversationReport SessionConversation::report() const {
    const exchange::SessionReport& from = session_->report();
    ConversationReport report;
    for (std::size_t i = 0; i < exchange::kStages; ++i) {
        const exchange::StageCost& cost = from.stages.at(i);
        StageLine line = named(static_cast<exchange::Stage>(i));
        line.messages_sent = cost.messages_sent;
        line.bytes_sent = cost.bytes_sent;
        line.messages_received = cost.messages_received;
        line.bytes_received = cost.bytes_received;
        report.stages.push_back(line);
    }
    report.commits = from.commits;
    report.reviews = from.reviews;
    report.segments_taken = from.segments_taken;
    report.segments_given = from.segments_given;
    report.chunks_taken = from.chunks_taken;
    report.chunks_given = from.chunks_given;
    report.bytes_again = from.bytes_again;
    report.refused = from.refused;
    report.not_given = from.not_given;
    report.completed = from.completed;
    const auto since = [this](const std::optional<env::Instant>& when) {
        return when && *when > begun_ ? static_cast<std::uint64_t>(when->unix_ms - begun_.unix_ms) : 0;
    };
    report.greeting_ms = since(from.greeted);
    report.first_content_ms = since(from.first_content);
    return report;
}

}  // namespace satchel::link
