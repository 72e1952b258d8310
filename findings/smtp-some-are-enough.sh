#!/usr/bin/env bash
# nodemailer 10.6.1 (JavaScript) and smtplib of Python 3.11, against smtp-server 3.21.6.
#
# Guess: a mail to two addresses of which the server refuses one is an error.
#
# Really: both report success if the server takes at least one address. nodemailer lists the others in `rejected`, and
# sendmail() returns them in a dictionary; only when all are refused is it an error.
#
# Matters: an alert about a rollback to a team and the person on call, whose address has a typing error or is gone, is
# sent and logged as sent, and never reaches that person. Look at `rejected`, or send one mail for each address.
#
# Seen: see `expect` below.
set -euo pipefail
. "$(dirname "$0")/lib/packages.sh"
cat >"$work/send.py" <<'PY'
import smtplib
import sys

for to in (["team@example.com"], ["team@example.com", "gone@example.com"], ["gone@example.com"]):
    with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as client:
        try:
            refused = client.sendmail("serin@example.com", to, "Subject: rolled back\r\n\r\n")
            print(f"smtplib, {' and '.join(to)}: returns {list(refused)}")
        except smtplib.SMTPRecipientsRefused:
            print(f"smtplib, {' and '.join(to)}: raises")
PY
export SEND="$work/send.py"
with_node nodemailer@10.6.1 smtp-server@3.21.6 <<'JS'
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import nodemailer from "nodemailer";
import { SMTPServer } from "smtp-server";

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS"],
  onRcptTo: ({ address }, session, done) => done(address.startsWith("gone") ? Object.assign(new Error("no such user"), { responseCode: 550 }) : null),
  onData: (stream, session, done) => stream.resume().on("end", done),
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.server.address();
const transport = nodemailer.createTransport({ host: "127.0.0.1", port });
for (const to of [["team@example.com"], ["team@example.com", "gone@example.com"], ["gone@example.com"]]) {
  const seen = await transport.sendMail({ from: "serin@example.com", to, subject: "rolled back" }).then(
    ({ rejected }) => `resolves, rejected ${JSON.stringify(rejected)}`,
    () => "rejects",
  );
  console.log(`nodemailer, ${to.join(" and ")}: ${seen}`);
}
const { stdout } = await promisify(execFile)("python3", [process.env.SEND, port]);
process.stdout.write(stdout);
server.close();
JS
expect <<'END'
nodemailer, team@example.com: resolves, rejected []
nodemailer, team@example.com and gone@example.com: resolves, rejected ["gone@example.com"]
nodemailer, gone@example.com: rejects
smtplib, team@example.com: returns []
smtplib, team@example.com and gone@example.com: returns ['gone@example.com']
smtplib, gone@example.com: raises
END
