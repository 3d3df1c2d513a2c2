// A Site: keys, trust, catalogue, store and what is known of other sites, composed on one lent disk.
//
//   site.db  feed.log  packs/  catalogue.git/ (mirror)  keys/ (0600, in no backup)
//
// One owner at a time: the caller holds the site's lock. Every method leaves the site sound at any crash:
// what it acknowledged stays, what it did not finish is taken up by running it again.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/base/progress.hpp"
#include "engine/exchange/admission.hpp"
#include "engine/exchange/freight.hpp"
#include "engine/exchange/replica.hpp"
#include "engine/records/records.hpp"
#include "engine/store/manifest.hpp"
#include "engine/store/store.hpp"

namespace satchel::site {

struct NetworkOptions {
    std::string network;  // name for people
    std::string site_name = "hub";
    std::int32_t utc_offset_minutes = 480;
    std::uint32_t reviews_needed = 0;  // the office lane's quorum
};

struct EnrolOptions {
    trust::SiteRole role = trust::SiteRole::kVillage;
    std::optional<std::string> parent;  // name or id; if not given the hub itself, of a hub nobody
    std::int64_t valid_days = 30;
};

// A thing that was left out, and why; the rest was done.
struct Skipped {
    std::string path;
    Literal reason;
};
inline constexpr std::size_t kSkippedListMax = 1000;  // longer lists are cut; the count goes on

struct PublishOptions {
    std::string message;  // empty: made from the courses' names
    // So many; the lane may demand more. Not given: as many as the course's last edition demanded.
    std::optional<std::uint32_t> reviews;
    bool reread = false;  // read every file, also those that look as they did when they were last read
    std::string loose_course = "loose-files";  // course id for files that lie beside the course folders
};
struct PublishedCourse {
    catalogue::Edition edition;
    bool unchanged = false;  // the newest edition says the same: none was made
    bool is_current = false;
    std::uint64_t new_chunks = 0;
    std::uint64_t new_stored_bytes = 0;
};
struct PublishReport {
    std::vector<PublishedCourse> courses;
    std::vector<Skipped> skipped;
    std::uint64_t skipped_count = 0;
};

// How much is written before it is made sure and gets its names; smaller in tests.
struct CheckoutLimits {
    std::uint64_t batch_bytes = 64 * 1024 * 1024;
    std::size_t batch_files = 512;
};

struct CheckoutReport {
    catalogue::Edition edition;
    std::uint64_t files = 0;
    std::uint64_t files_kept = 0;  // were there already, byte for byte
    std::uint64_t bytes_written = 0;
    std::string sums_file;  // for `b2sum -l 256 -c`, beside the folder
    std::vector<Skipped> skipped;
    std::uint64_t skipped_count = 0;
};

struct CourseState {
    catalogue::EditionState edition;  // current, else newest
    bool has_current = false;
    std::optional<std::uint32_t> waiting;  // the number of a newer edition that still waits for reviews
    bool subscribed = false;
    bool complete = false;
    std::optional<catalogue::Edition> stand_in;  // a whole one before it, which people see while it is not
};

// Why an edition is kept here; what several editions share counts for the first.
enum class Claim : std::uint8_t { kPinned, kSubscribed, kRest, kOld, kStaging };
inline constexpr std::array kAllClaims = {Claim::kPinned, Claim::kSubscribed, Claim::kRest, Claim::kOld,
                                          Claim::kStaging};

// An edition that stays here until a person lets it go.
struct RoomHolder {
    std::string course;
    std::uint32_t edition = 0;
    std::uint64_t bytes = 0;  // of its files: it gives back so much if nothing else shares with it
    Claim claim = Claim::kPinned;
    bool is_stand_in = false;  // people see it until the current edition is whole
};

enum class WhyState {
    kUnknown,
    kWaitingForReviews,
    kNotSubscribed,
    kNoRoom,
    kMissingChunks,
    kDamaged,  // it was whole, and something of it is lost that is not given up yet
    kComplete,
};
struct Why {
    WhyState state = WhyState::kUnknown;
    std::string course;
    std::optional<catalogue::EditionState> edition;
    std::uint64_t missing_objects = 0;  // known to be missing; what a missing table names is not counted yet
    std::uint64_t room_needed = 0;      // bytes, with kNoRoom
    std::uint64_t room_available = 0;
    bool has_lapsed = false;           // with kNoRoom: it was whole, and there is none for the list it lost
    bool a_stick_does = false;         // with kNoRoom: one that has all of it takes the shown edition's place
    std::vector<RoomHolder> could_go;  // with kNoRoom: enough to make it, or the largest kHoldersMax
    static constexpr std::size_t kHoldersMax = 16;
};

struct Status {
    NetworkId network;
    std::string network_name;
    trust::SiteEntry self;
    std::uint32_t root_version = 0;
    std::vector<catalogue::LaneHead> heads;
    std::uint64_t courses = 0;
    std::uint64_t complete = 0;
    std::uint64_t waiting = 0;              // subscribed, current, not complete
    std::uint64_t waiting_for_room = 0;     // of them: there is no room on the disk
    std::uint64_t waiting_for_reviews = 0;  // courses whose newest edition is not current
    store::StoreStats store;
    std::uint64_t free_bytes = 0;
    std::uint64_t open_events = 0;     // recorded here and not signed yet
    std::uint64_t held_up_events = 0;  // of them: they can't be, since what was just before them is lost
    std::uint64_t carried_sites = 0;   // whose records this site carries to the hubs
    std::uint64_t carried_bytes = 0;
};

// How much of the disk the store may take. Content never takes what is kept free; records may.
struct StoreLimits {
    std::uint64_t store_max = 0;        // bytes of packs; 0: what the disk gives
    std::uint64_t disk_floor = 0;       // bytes of the disk that stay free
    std::uint64_t records_reserve = 0;  // beside them, room for records
};

// Where the bytes of the store are.
struct StoreUse {
    std::array<std::uint64_t, kAllClaims.size()> kept{};  // of pack records, by claim
    std::uint64_t dead = 0;                               // of pack records that nothing keeps
    std::uint64_t parity = 0;                             // of packs, for mending
    std::uint64_t frame = 0;                              // of packs: their index and checksums
    std::uint64_t records = 0;                            // of site.db, feed.log and keep.log
};
struct CollectReport {
    StoreUse use;  // before
    std::uint64_t freeable = 0;
    std::uint64_t freeable_in_need = 0;  // likewise, where a course needs the room
    std::uint64_t freed = 0;
    std::uint64_t moved = 0;         // bytes that were written again
    std::uint64_t stays = 0;         // dead bytes in packs that are mostly needed
    std::uint64_t room_lacking = 0;  // a pack stayed: the disk has not so much free to write its rest again
    std::optional<Error> hindrance;  // of a look: why nothing may go now; what is dead may be needed then
    // Of a look as if some had gone, by course: what a stand-in among them would give back, and the bytes of
    // the largest edition that is here.
    std::map<std::string, std::uint64_t> stand_ins, held;
};

// A file of an edition that was here complete, and of which an object is damaged. No path: the object is a
// part of the edition's list of files.
struct Loss {
    std::string course;
    std::uint32_t edition = 0;
    std::string path;
};

// What looks at the store have found.
class Findings {
  public:
    // More damage than this means a dying disk: replace it instead of fetching chunk by chunk.
    static constexpr std::size_t kLostMax = 100'000;

    void add(const store::Damage& damage);

    std::uint64_t damaged = 0;
    std::uint64_t healed = 0;
    std::uint64_t healed_bytes = 0;
    std::set<ChunkId> lost;        // of what is damaged: chunks, at most kLostMax
    std::set<ChunkId> unreadable;  // of these: what the disk does not give; it may give it another day
    bool lacks_chunks = false;     // a pack lacks some, and nothing says which
    bool is_pack_hit = false;      // a pack is missing, or hit in another way that waits for somebody

  private:
    std::set<std::string> hindered_;  // packs whose mending the disk did not let be done
};

// Of chunks that lack and have no names; smaller in tests.
struct LackLimits {
    // Given up by themselves: those of one full pack. More is no damage, but a disk or folder that is not
    // there.
    std::size_t given_up = 16'384;
    std::size_t remembered = 4 * 16'384;  // 5 MiB: where more lacks, a later look goes on
};

enum class GiveUp {
    kNothing,  // what is lost is told, and stays as it is
    kDamaged,  // what the disk gives damaged or not at all any more, and a link or a stick would bring
    kAll,      // also what nobody will bring, what the disk does not give, and missing packs for good
};

struct Settlement {
    std::uint64_t lost_files = 0;
    std::uint64_t given_up = 0;     // chunks
    std::uint64_t not_brought = 0;  // editions that are hit, and that no link and no stick would bring anew
};

struct RepairedLane {
    std::string lane;
    std::uint64_t commits = 0;        // brought back
    std::uint64_t commits_known = 0;  // that this site had accepted
    std::optional<Error> why;         // if not all came back
};
struct RepairReport {
    std::vector<RepairedLane> lanes;
    std::uint64_t damaged_stretches = 0;  // of keep.log
    std::uint64_t segments = 0;
    Status status;
};

class Site {
  public:
    // A new network with this site as its hub. kExists if the folder holds a site.
    static Result<std::unique_ptr<Site>> create_network(env::Disk& disk, env::World world,
                                                        const NetworkOptions& options);
    // Makes keys (once) and the text of a request; asking again gives the same text.
    static Result<std::string> request_to_join(env::Disk& disk, env::World world,
                                               const std::string& site_name);
    static Result<std::unique_ptr<Site>> join(env::Disk& disk, env::World world, std::string_view grant_text,
                                              const std::optional<std::string>& expected_words);
    static Result<std::unique_ptr<Site>> open(env::Disk& disk, env::World world);  // kNoSite
    // Makes site.db again from keep.log, catalogue.git, packs and feed.log; the old one, which is not read,
    // is left as site.db-damaged. Again from the beginning after a stop. kNotFound: there is no keep.log.
    static Result<RepairReport> repair(env::Disk& disk, env::World world, Progress& progress);
    ~Site();

    // -- trust (hub) ------------------------------------------------------------------------------
    Result<std::string> enrol(std::string_view request_text,
                              const EnrolOptions& options);  // the grant's text
    Result<void> revoke_site(std::string_view name_or_id);
    // Rows of the register: those that are new or changed go into one commit; returns how many. None is
    // removed.
    Result<std::uint64_t> import_register(const std::vector<catalogue::RegisteredSite>& sites);
    Result<void> add_reviewer(const trust::KeyHolder& reviewer);  // a new root version
    Result<void> remove_reviewer(std::string_view holder);

    // -- courseware -------------------------------------------------------------------------------
    Result<PublishReport> publish(env::Disk& folder, std::string_view folder_name,
                                  const PublishOptions& options, Progress& progress);
    // The statement that a reviewer signs, of the newest edition.
    Result<catalogue::Review> review_of(std::string_view course, catalogue::Verdict verdict,
                                        catalogue::ReviewRole role);
    Result<bool> sign_review(const catalogue::Review& review, const trust::SigningKey& reviewer);
    Result<trust::SigningKey> own_reviewer_key();  // of a hub
    Result<bool> import_review(const catalogue::SignedReview& review);

    Result<void> subscribe(const exchange::Subscription& subscription);
    Result<bool> unsubscribe(const exchange::Subscription& subscription);
    Result<std::vector<exchange::Subscription>> subscriptions();
    Result<bool> wants_all();

    // The course that `text` means; kNotFound, or kUsage when it means several (detail lists them).
    Result<std::string> resolve_course(std::string_view text);
    Result<void> for_each_course(const std::function<Result<void>(const CourseState&)>& each);
    Result<Why> why(std::string_view course);
    // Which edition people see: the current one or, until that is whole here, the newest one before it that
    // is. If none is whole, the current one as far as it is here. None: no edition of this course is current.
    Result<std::optional<catalogue::EditionState>> edition_to_show(const std::string& course);
    // Writes the edition to show (the newest if the site published it itself and none is current is refused)
    // to `target`/`folder` and its sums to `folder`.b2sums; what is not whole yet stands in
    // `folder`.satchel-part. Goes on where it stopped.
    Result<CheckoutReport> checkout(const std::string& course, env::Disk& target, std::string_view folder,
                                    Progress& progress, const CheckoutLimits& limits = {});
    Result<void> for_each_file(const std::string& course,
                               const std::function<Result<void>(const store::ManifestEntry&)>& each);
    Result<void> read_file(const std::string& course, std::string_view path, std::uint64_t offset,
                           std::uint64_t length, const std::function<Result<void>(ByteView)>& sink);
    // Ends what was found: what is damaged and does not read now is told by file and then, as far as
    // `give_up` says, taken for not here, so that a link or a stick brings it anew. Leaves in `findings.lost`
    // what is lost. After a crash at any point an edition that misses something is one that is wanted. Where
    // it fails or is stopped (kCancelled), nothing is given up, and the next quick look finds the same once
    // more.
    Result<Settlement> settle(Findings& findings, GiveUp give_up,
                              const std::function<Result<void>(const Loss&)>& each, Progress& progress,
                              const LackLimits& limits = {});

    // The index anew from the packs as they are now; what is not in one any more is here no longer, and an
    // edition that misses something is told so.
    Result<void> rebuild_index(Progress& progress);

    // -- room -------------------------------------------------------------------------------------
    Result<StoreLimits> limits();
    Result<void> set_limits(const StoreLimits& limits);
    Result<void> pin(const std::string& course);  // its current edition never makes room for others
    Result<void> unpin(const std::string& course);
    Result<bool> is_pinned(const std::string& course);
    // Keeps nothing of this edition of each course here any more, or of all that may go; returns how many
    // editions that were. kRefused, and nothing goes, if of one of the courses only such as must stay are
    // here.
    Result<std::uint64_t> drop_editions(const std::vector<std::string>& courses,
                                        std::optional<std::uint32_t> number);
    // Gives back to the disk what nothing keeps; with `only_look` tells what that would be. kDamaged, and
    // nothing goes: a pack that kept editions need is missing, or one of their lists is lost.
    Result<CollectReport> collect(Progress& progress, bool only_look);
    Result<std::uint64_t> available_room();  // bytes that may still be added to the packs
    // Editions that are wanted and had no room when that was decided last.
    Result<std::vector<exchange::WantedEdition>> waiting_for_room();

    // -- state ------------------------------------------------------------------------------------
    Result<Status> status();
    [[nodiscard]] const trust::SiteEntry& self() const;
    [[nodiscard]] const NetworkId& network() const;
    [[nodiscard]] const trust::SigningKey& signing_key() const;
    [[nodiscard]] const trust::SealingKey& sealing_key() const;
    Result<ByteBuffer> network_secret();  // for first contacts; kNotFound where it is not kept
    [[nodiscard]] catalogue::Catalogue& catalogue();
    [[nodiscard]] store::Store& store();
    [[nodiscard]] records::Records& records();
    [[nodiscard]] trust::TrustStore& trust();
    [[nodiscard]] database::Database& database();
    [[nodiscard]] env::World& world();
    [[nodiscard]] exchange::Replica replica();  // for carriers; ends with the site
    Result<void> update_mirror();
    Result<void> refresh_holdings(Progress& progress);  // which current, subscribed editions are complete

    struct State;  // private to engine/site

  private:
    explicit Site(std::unique_ptr<State> state);
    Result<void> apply_limits();
    Result<Settlement> settle_once(Findings& findings, GiveUp give_up,
                                   const std::function<Result<void>(const Loss&)>& each, Progress& progress,
                                   const LackLimits& limits);
    enum class Opening : std::uint8_t { kWhole, kToEndARepair };
    static Result<std::unique_ptr<Site>> open(env::Disk& disk, env::World world, Opening opening);
    Result<void> look_for_room(const ChunkId& manifest, Why& answer);
    std::unique_ptr<State> state_;
};

}  // namespace satchel::site
