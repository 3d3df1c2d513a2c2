#include "tests/support/record_checks.hpp"

namespace satchel::support {

namespace {
constexpr std::int32_t kOffsetMinutes = 480;
}

records::Event viewing_of(int headcount) {
    const std::string number = std::to_string(headcount);
    return must(records::event_from_words(
        "viewing", {"session=s" + number, "course=maths", "headcount=" + number, "dur=60"}, kOffsetMinutes));
}

std::vector<records::Event> orders_made_elsewhere(int first, int last) {
    std::vector<records::Event> events;
    for (int i = first; i <= last; ++i)
        events.push_back(must(records::event_from_json(
            R"({"kind":"order","site":"510700-0001","epoch":1,"theme":"rice","qty":1,"seq":)" +
                std::to_string(i) + "}",
            kOffsetMinutes)));
    return events;
}

std::set<std::string> counted_at(site::Site& site) {
    std::set<std::string> ids;
    database::Statement select =
        must(site.database().prepare("SELECT origin, epoch, sequence, branch FROM fact"));
    while (must(select.step()))
        ids.insert(records::text_of(records::Identity{std::string(select.text(0)), select.integer(1),
                                                      select.integer(2), std::string(select.text(3))}));
    return ids;
}

std::vector<ByteBuffer> segments_of(site::Site& site, const SiteId& feed) {
    std::vector<ByteBuffer> segments;
    must(site.records().segments_after(feed, {},
                                       [&](const records::SegmentId&, ByteView bytes) -> Result<bool> {
                                           segments.emplace_back(bytes.begin(), bytes.end());
                                           return true;
                                       }));
    return segments;
}

void accept_all(site::Site& site, const std::vector<ByteBuffer>& segments) {
    for (const ByteBuffer& segment : segments) must(site.records().accept(segment));
    must(site.records().commit());
}

void require_records_sound(site::Site& site) {
    must(site.records().verify(
        [](const Error& error) { require(false, "damaged: " + error.about + " " + error.detail); }));
    must(site.records().close_segment());
    require(must(site.records().open_events()) == 0, "records that were taken here are never signed");
}

}  // namespace satchel::support
