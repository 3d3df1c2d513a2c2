#include "transport/link/conversation.hpp"

#include <algorithm>

namespace satchel::link {

void add(ConversationReport& sum, const ConversationReport& one) {
    if (sum.stages.empty()) {
        for (const StageLine& stage : one.stages) sum.stages.push_back(StageLine{.stage = stage.stage});
        sum.greeting_ms = one.greeting_ms;
        sum.first_content_ms = one.first_content_ms;
    }
    for (std::size_t i = 0; i < std::min(sum.stages.size(), one.stages.size()); ++i) {
        sum.stages[i].messages_sent += one.stages[i].messages_sent;
        sum.stages[i].bytes_sent += one.stages[i].bytes_sent;
        sum.stages[i].messages_received += one.stages[i].messages_received;
        sum.stages[i].bytes_received += one.stages[i].bytes_received;
    }
    sum.commits += one.commits;
    sum.reviews += one.reviews;
    sum.segments_taken += one.segments_taken;
    sum.segments_given += one.segments_given;
    sum.chunks_taken += one.chunks_taken;
    sum.chunks_given += one.chunks_given;
    sum.bytes_again += one.bytes_again;
    for (const Error& error : one.refused)
        if (sum.refused.size() < kRefusedListMax) sum.refused.push_back(error);
    for (const Error& error : one.not_given)
        if (sum.not_given.size() < kRefusedListMax) sum.not_given.push_back(error);
    for (const std::string& course : one.completed)
        if (std::find(sum.completed.begin(), sum.completed.end(), course) == sum.completed.end())
            sum.completed.push_back(course);
}

}  // namespace satchel::link
