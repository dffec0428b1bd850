import ArgumentParser

enum StateCommands {
    static let all: [any ParsableCommand.Type] = [
        Contacts.self, Sequences.self, Enroll.self, Unenroll.self, StopAll.self, ResumeAll.self, Queue.self, Inbox.self, Intake.self,
        Suppress.self, Guardrail.self, Webhooks.self, Audit.self, OAuth.self, Backup.self, Restore.self, DB.self,
    ]
}
