package import InternetMessage

extension SequencePlan {
    /// Whose answer ends the sequence for the others of their company, too.
    package struct CompanyRule: Sendable, Equatable, Codable {
        package enum Scope: String, Sendable, CaseIterable, Codable {
            /// Their enrollments in the same sequence, whatever version they are on.
            case sequence
            /// All their enrollments.
            case workspace
        }

        /// In the order of the file; never empty.
        package let classes: [ReplyClass]
        package let scope: Scope

        package init(classes: [ReplyClass], scope: Scope = .sequence) {
            self.classes = classes
            self.scope = scope
        }

        /// The classes that it may name: what people say.
        package static let possible: [ReplyClass] = [
            .positive, .question, .negative, .notNow, .referral, .neutral, .leftCompany, .unsubscribe, .complaint,
        ]
    }
}

/// The end of what runs for the other people of a company, because one of them answered.
///
/// It is carried out in the transaction of what the answer does to the enrollment of whoever gave it: whoever runs then is stopped, and
/// their mail that has not reached its final dot is cancelled. Who is enrolled later is not concerned.
package struct CompanyStop: Sendable, Equatable {
    package let workspace: WorkspaceID
    /// As `CompanyBook.company` names it.
    package let company: String
    /// The enrollment of whoever answered.
    package let answered: Enrollment.ID
    /// Only those in the same sequence as this version; nil: in any.
    package let sequence: SequenceVersion.ID?
    package let replyClass: ReplyClass
    /// The message that came in; nil: a link was used.
    package let reply: IncomingMessage.ID?
    package let at: Timestamp

    /// What follows for the company from an answer to a sequence; nil when the plan says nothing of it, or there is no company.
    ///
    /// - Parameter company: of whoever answered; nil: of none.
    package init?(
        _ replyClass: ReplyClass, to machine: SequenceMachine?, company: String?, reply: IncomingMessage.ID?, at now: Timestamp
    ) {
        guard let machine, let company, let rule = machine.plan.companyRule, rule.classes.contains(replyClass) else { return nil }
        workspace = machine.enrollment.workspace
        self.company = company
        answered = machine.enrollment.id
        sequence = rule.scope == .sequence ? machine.enrollment.sequence : nil
        self.replyClass = replyClass
        self.reply = reply
        at = now
    }

    /// For a person. It names nobody: it stays with the enrollments of others when whoever answered is forgotten.
    package var words: String { "somebody else at \(company) \(what)" }

    /// The same, for another sequence that whoever answered is in.
    ///
    /// - Parameter sequence: name of the one that was answered.
    package func ownWords(of sequence: String) -> String { "they \(what), in the sequence '\(sequence)'" }

    private var what: String { reply.map { "replied (\(replyClass.rawValue)), message \($0)" } ?? "unsubscribed by a link" }
}
