#include "actors/rules/admission.hpp"

namespace muster::rules {

admission_decision decide_admission(const admission_record& record, const admission_claim& claim,
                                    std::int64_t now_s) noexcept {
  if (!record.known)
    return {admission_step::refuse_unknown, false};
  if (record.revoked)
    return {admission_step::refuse_revoked, false};
  if (record.certificate_sha256 != claim.certificate_sha256)
    return {admission_step::refuse_unknown, false};
  if (now_s > record.certificate_expires_s)
    return {admission_step::refuse_expired, false};
  if (record.fingerprint != claim.fingerprint)
    return {admission_step::refuse_clone, false};
  // A boot that was replaced and comes back is a snapshot of a running machine; when the other one
  // comes back in its turn, too, both are running.
  if (record.boot_returned && claim.boot != record.boot && claim.boot == record.boot_before)
    return {admission_step::refuse_turns, false};
  const bool late = claim.counter > record.hello_counter && claim.counter < record.counter;
  const bool went_back = claim.counter <= record.counter && !late;
  if (!record.has_session)
    return {admission_step::admit, went_back, late};
  if (record.boot == claim.boot && !went_back)
    return {admission_step::take_over, false, late};
  return {admission_step::ask_old_session, went_back, late};
}

boot_history history_after(const admission_record& record, const boot_id& boot) noexcept {
  if (boot == record.boot)
    return {record.boot_before, record.boot_returned};
  return {record.boot, !boot.is_zero() && boot == record.boot_before};
}

std::string_view explain(admission_step step) noexcept {
  switch (step) {
    case admission_step::refuse_unknown:
      return "this server does not know the device by this certificate; enrol it again with "
             "`muster-agent enrol`";
    case admission_step::refuse_revoked:
      return "the device's certificate has been revoked by an administrator; a new enrolment needs "
             "a new key";
    case admission_step::refuse_expired:
      return "the device's certificate has expired; enrol it again with `muster-agent enrol`";
    case admission_step::refuse_clone:
      return "identity in use elsewhere: this certificate was enrolled on another machine; remove "
             "the copied agent data and enrol this machine with `muster-agent enrol`";
    case admission_step::refuse_turns:
      return "identity in use elsewhere: two machines, one a copy of the other, take turns with this "
             "certificate; remove the copied agent data here and enrol again, or restart this "
             "machine if the other one is gone";
    case admission_step::ask_old_session:
      return "identity in use elsewhere: another machine with this certificate is connected; "
             "remove the copied agent data there or here and enrol again";
    case admission_step::admit:
    case admission_step::take_over: break;
  }
  return {};
}

} // namespace muster::rules
