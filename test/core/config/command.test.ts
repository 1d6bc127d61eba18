import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { argvOf, displayCommand } from '../../../core/src/config/index.ts'

const shell = (text: string): string[] => ['/bin/sh', '-c', text]

describe('argvOf', () => {
  it.each<[string, string[]]>([
    ['node server.js', ['node', 'server.js']],
    ['  ./app   --port=80\t-v  ', ['./app', '--port=80', '-v']],
    ['./app\n', ['./app']],
    ['app a=b', ['app', 'a=b']],
    ['postgres -D /var/lib/postgres', ['postgres', '-D', '/var/lib/postgres']],
    ['date +%s', ['date', '+%s']],
    ['user@host:/x,y', ['user@host:/x,y']],
    [`sh -c 'echo "$HOME"; ls'`, ['sh', '-c', 'echo "$HOME"; ls']],
    ['app "two words"', ['app', 'two words']],
    [`app --name='a b'"c d"`, ['app', '--name=a bc d']],
    [`app ''`, ['app', '']],
    [`app "it's"`, ['app', "it's"]],
    ['"my program" x', ['my program', 'x']],
    ['exec ./app x', ['./app', 'x']],
    ['exec   node x', ['node', 'x']],
  ])('runs %j directly', (command, argv) => {
    expect(argvOf({ command })).toEqual(argv)
  })

  it.each([
    './app --port $PORT',
    './app --port 80${SYSG_REPLICA}',
    './app ${X:-80}',
    './app --slot {slot}',
    'app "$HOME/x y"',
    'app *.txt',
    'app ~/file',
    String.raw`app a\ b`,
    'app \\\n  --port 80',
    '$HOME/bin/app x',
    '"$HOME/bin/app" x',
    '~/bin/app',
    `app 'a' "b\\"c" $1`,
    'app http://x/#top',
    'café --x',
    'app 5^2',
  ])('puts exec before %j, which is one simple command with expansions', (command) => {
    expect(argvOf({ command })).toEqual(shell(`exec ${command}`))
  })

  it.each([
    'a; b',
    'a && b',
    'a || b',
    'a | b',
    'a &',
    'a > log',
    'a < in',
    'a 2>&1',
    '(a)',
    '{ a; }',
    '! a',
    'a\nb',
    'a # comment',
    '# comment',
    'FOO=1 ./app',
    'FOO=1 ./app $X',
    'exec -a name ./app',
    'exec FOO=1 ./app $X',
    'cd /srv',
    'cd $X',
    '. ./env.sh',
    'echo hi',
    'echo $X',
    'exec echo $X',
    'true',
    'test -f x',
    'while $X',
    'if a',
    'time ./app $X',
    '$APP --x',
    '"$APP" --x',
    '-x $Y',
    'app $(date)',
    'app `date`',
    'app "$(date)"',
    'app "`date`"',
    'app $((1+2))',
    'app ${X%.*}',
    'app ${X:-$(date)}',
    `app $'a\\n'`,
    "app 'open",
    'app "open',
    'app \\',
    String.raw`\ls $X`,
    'for f in *; do echo $f; done',
    'a() { b; }',
    'app {a,b}',
    'app <<EOF',
  ])('gives %j to the shell as written', (command) => {
    expect(argvOf({ command })).toEqual(shell(command))
  })

  it('takes `exec` as it is, without a shell', () => {
    expect(argvOf({ exec: ['./my app', '$X', '; rm'] })).toEqual(['./my app', '$X', '; rm'])
  })

  it('means the same as the shell does for every command it runs directly', () => {
    const word = fc.oneof(
      fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019_./:=,@%+-')), minLength: 1, maxLength: 6 }),
      fc.string({ unit: fc.constantFrom(...Array.from('a $;|"*{\\')), maxLength: 5 }).map((text) => `'${text}'`),
      fc.string({ unit: fc.constantFrom(...Array.from("a ;|'*{#")), maxLength: 5 }).map((text) => `"${text}"`),
    )
    const words = fc.array(
      fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('')),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(words, (given) => {
        const argv = argvOf({ command: `node ${given.join(' ')}` })
        const printed = execFileSync('/bin/sh', ['-c', `printf '%s\\0' node ${given.join(' ')}`], { encoding: 'utf8' })
        expect(argv).toEqual(printed.split('\0').slice(0, -1))
      }),
      { numRuns: 60 },
    )
  })
})

describe('displayCommand', () => {
  it('shows a command line as written', () => {
    expect(displayCommand({ command: ' a  $B \n' })).toBe('a  $B')
  })

  it('quotes what a shell would not take as it is', () => {
    expect(displayCommand({ exec: ['./app', 'a b', "it's", '', '--x=1'] })).toBe(
      String.raw`./app 'a b' 'it'\''s' '' --x=1`,
    )
  })
})
