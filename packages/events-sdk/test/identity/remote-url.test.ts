import { describe, expect, test } from 'vitest';

import { isRepoSlug, parseRemote, slugFromName } from '../../src/identity/remote-url.ts';

describe('parseRemote', () => {
  test.each([
    ['git@github.com:Acme/My_Repo.git', 'Acme/My_Repo', 'my-repo'],
    ['github.com:acme/repo', 'acme/repo', 'repo'],
    ['https://github.com/Acme/My_Repo', 'Acme/My_Repo', 'my-repo'],
    ['https://github.com/acme/repo/', 'acme/repo', 'repo'],
    ['https://github.com/acme/repo.git/', 'acme/repo', 'repo'],
    ['ssh://git@host.example:2222/group/sub/repo.git', 'group/sub/repo', 'repo'],
    ['https://user@host/a/b', 'a/b', 'b'],
    ['https://host/repo.git', null, 'repo'],
    ['/srv/git/My_Repo.git', null, 'my-repo'],
    ['../repo', null, 'repo'],
    ['file:///srv/git/a/b.git', null, 'b'],
    ['C:\\work\\My Repo', null, 'my-repo'],
  ])('reads %s', (url, repoSlug, projectSlug) => {
    expect(parseRemote(url)).toEqual({ repoSlug, projectSlug });
  });

  test.each([
    'https://user:s3cretTOKEN@host/a/b.git',
    'https://s3cretTOKEN@host/a/b.git',
    'https://user:12/s3cretTOKEN@host/a/b',
    'https://user:s3cret/TOKEN@host/a/b',
    'oauth2:s3cretTOKEN@host:group/repo',
    'oauth2:s3cretTOKEN@host:repo',
    'https://host/a/b.git?token=s3cretTOKEN#s3cretTOKEN',
    'https://host/ghp_s3cretTOKENs3cretTOKEN/b',
    'https://host/a%2Fs3cret@TOKEN/b',
  ])('lets no credential out of %s (SEC-2)', (url) => {
    expect(JSON.stringify(parseRemote(url))).not.toMatch(/s3cret|TOKEN/);
  });

  test.each(['', '   ', 'https://', 'ext::sh -c x', 'https://host/', 'https://host/a/b:c'])(
    'gives nothing for "%s"',
    (url) => {
      expect(parseRemote(url)).toBeNull();
    },
  );
});

test('makes slugs as the contract says', () => {
  expect(slugFromName('My_Repo x')).toBe('my-repo-x');
});

test('accepts an override of two or more names only', () => {
  expect(['a/b', 'a/b/c', 'a', 'a/', '/b', 'a/ /b'].map((text) => isRepoSlug(text))).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
