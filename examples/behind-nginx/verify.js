// Asks through nginx until twenty answers in a row come from the slot. The old workers of nginx may still give some.
const [slot] = process.argv.slice(2)
const url = `http://127.0.0.1:${process.env.HTTP_PORT}/slot`
const enough = 20
const deadline = Date.now() + 5_000

let inARow = 0
let last = ''
while (inARow < enough) {
  const response = await fetch(url, { headers: { connection: 'close' } })
  last = `${response.status} ${await response.text()}`
  inARow = last === `200 ${slot}` ? inARow + 1 : 0
  if (Date.now() > deadline) {
    console.error(`nginx still answers \`${last}\`, not from slot ${slot}`)
    process.exit(1)
  }
}
