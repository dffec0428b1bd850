import Foundation
import InternetMessage
import TestKit
import Testing

/// The calendar of a conf, through the built executable.
@Suite("calendar")
struct CalendarCommandsTests {
    /// The short name of the day that many days from now, in UTC.
    private func day(in days: Int) -> String {
        let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        return ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][CivilDate(now).adding(days: days).weekday - 1]
    }

    @Test("a step waits for the recipient's own hours, and says so; who is nowhere known waits for nothing")
    func recipientHours() async throws {
        let bench = try StateBench(
            route: .text("type = \"sink\"\n[recipients]\nweek = [\"\(day(in: 3)) 09:00-17:00\"]\npreferred_hour = 11\n"))
        _ = try await bench.output(
            "contacts", "import", "-",
            input: "email,first_name,company,country\nann@acme.com,Ann,Acme,Japan\nbo@acme.com,Bo,Acme,\n")
        #expect(try await bench.output("contacts", "show", "ann@acme.com").contains("Asia/Tokyo (high, by its country)"))
        _ = try await bench.output("sequence", "load", try StateBench.fixture("hello.toml"))
        _ = try await bench.output("enroll", "hello", "--all")
        let serve = try await bench.serve()
        let held = try await eventually("Ann waits for her hours", within: .seconds(60)) {
            let ann = try await bench.objects("contacts", "show", "ann@acme.com").first?.list("enrollments").first
            return ann?["held_by"] == nil ? nil : ann
        }
        #expect(held["held_by"]?.contains("the recipient's sending window is closed") == true, "\(held)")
        #expect(held["held_by"]?.contains("(Asia/Tokyo)") == true)
        // 11:00 there.
        #expect(held["due_at"]?.hasSuffix("T02:00:00Z") == true, "\(held)")
        _ = try await eventually("Bo's mail leaves", within: .seconds(60)) {
            let bo = try await bench.objects("contacts", "show", "bo@acme.com").first?.list("enrollments").first
            return (bo?.number("next_step") ?? 0) > 0 ? bo : nil
        }
        withExtendedLifetime(serve) {}
    }

    @Test(
        "what is wrong with a calendar is said with its place",
        arguments: [
            ("holidays = [\"XX\"]", "there are no holidays of 'XX'; name an .ics file, or one of AE AR"),
            ("holidays = [\"XX\", \"DE\", \"YY\"]", "there are no holidays of 'XX', 'YY'; name an .ics file"),
            ("holidays = [\"/nowhere/a.ics\"]", "/nowhere/a.ics: cannot be read"),
            ("week = [\"mon-fri 09:00\"]", "'mon-fri 09:00' is no part of a week; write it as \"mon-fri 09:00-12:00\""),
            ("week = [\"fri-mon 09:00-10:00\"]", "'fri-mon 09:00-10:00' is no part of a week"),
            ("quiet_hours = \"9-10\"", "'9-10' is no part of a day"),
            ("quiet_hours = \"00:00-24:00\"", "the quiet hours leave nothing of the hours of the week"),
            ("preferred_hour = 24", "24 is outside the bounds"),
        ])
    func faults(_ line: String, _ fault: String) async throws {
        let bench = try StateBench()
        let text = TextFile.read(bench.conf).replacing("[window]\n", with: "[window]\n\(line)\n")
        try bench.folder.write("postrider.conf", text: text)
        let outcome = try await bench.run("check")
        #expect(outcome.status != 0 && outcome.errorText.contains(fault), "\(outcome.errorText)")
        #expect(outcome.errorText.contains("postrider.conf:"), "\(outcome.errorText)")
    }
}
